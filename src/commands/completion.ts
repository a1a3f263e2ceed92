/** Scripts with which shells complete: they ask this program, so that what it knows is never written down twice. */

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What `complete` answers where the names of files belong: the shell knows them best. */
export const files = ':files';

const bash = `# deploy-wizard: completion for bash. Put this into ~/.bashrc:
#   source <(deploy-wizard completion bash)
_deploy_wizard() {
  local line=\${COMP_LINE:0:COMP_POINT} current value rest
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    if [[ $value == "${files}" ]]; then
      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
    fi
    COMPREPLY+=("$value")
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2> /dev/null)
  # Readline takes a colon for the end of a word.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*:}"}"}")
  fi
}
complete -F _deploy_wizard deploy-wizard
`;

const zsh = `#compdef deploy-wizard
# deploy-wizard: completion for zsh. Put this into ~/.zshrc, after compinit:
#   source <(deploy-wizard completion zsh)
_deploy_wizard() {
  local line
  local -a lines values
  lines=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ "\${lines[1]}" == "${files}" ]]; then
    _files
    return
  fi
  for line in "\${lines[@]}"; do
    [[ -n $line ]] && values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'deploy-wizard' values
}
compdef _deploy_wizard deploy-wizard
`;

const fish = `# deploy-wizard: completion for fish. Put it where fish looks for it:
#   deploy-wizard completion fish > ~/.config/fish/completions/deploy-wizard.fish
function __deploy_wizard_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] complete -- $words[2..-1] "$current" 2> /dev/null)
    if test "$lines[1]" = "${files}"
        __fish_complete_path "$current"
    else
        printf '%s\\n' $lines
    end
end
complete -c deploy-wizard -f -a '(__deploy_wizard_complete)'
`;

export const completionScripts: Readonly<Record<Shell, string>> = {bash, zsh, fish};
