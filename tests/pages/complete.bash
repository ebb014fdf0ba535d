# complete.bash COMPLETIONS LINE: what bash offers at the end of the line, one a line.
source "$1"
COMP_LINE=$2
COMP_POINT=${#COMP_LINE}
COMP_TYPE=9
COMP_KEY=9
# Cut as readline cuts, at blanks and at = and :.
read -ra COMP_WORDS <<<"$(sed 's/\([=:]\)/ \1 /g' <<<"$COMP_LINE")"
[[ $COMP_LINE == *[[:blank:]=:] ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
COMPREPLY=()
_forcefs forcefs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
exit 0
