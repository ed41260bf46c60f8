# SPDX-License-Identifier: BSD-2-Clause
# Completion of slirpctl's command line for fish.

# The command and its arguments, one a line, without options and their values.
function __slirpctl_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case -a --api-socket -t --timeout -w --watch -p --policy
                set skip 1
            case '-*'
            case '*'
                printf '%s\n' $word
        end
    end
end

# The forwards there are, with what each does, as far as somebody answers.
function __slirpctl_forwards
    set -l socket
    set -l words (commandline -opc)
    for i in (seq (count $words))
        switch $words[$i]
            case -a --api-socket
                set -l next (math $i + 1)
                set socket --api-socket=$words[$next]
            case '--api-socket=*'
                set socket $words[$i]
        end
    end
    slirpctl $socket --timeout=1 list 2>/dev/null | string trim | string match -r '^\d.*' |
        string replace -r ' +' \t
end

# True if the command is one of these, or there is none and none is given.
function __slirpctl_command
    set -l words (__slirpctl_words)
    if test (count $argv) = 0
        test (count $words) = 0
    else
        test (count $words) -gt 0; and contains -- $words[1] $argv
    end
end

complete -c slirpctl -f
complete -c slirpctl -s a -l api-socket -r -F -d "The daemon's socket"
complete -c slirpctl -s j -l json -d 'Print JSON, one object per line'
complete -c slirpctl -s A -l all -d 'Show zeros and internal values too'
complete -c slirpctl -s w -l watch -x -d 'Show again after this many seconds'
complete -c slirpctl -s t -l timeout -x -d 'Wait this many seconds for a reply'
complete -c slirpctl -s n -l dry-run -d 'Check a policy, and change nothing'
complete -c slirpctl -s p -l policy -r -F -a 'open internet closed' -d 'Judge by this policy'
complete -c slirpctl -s V -l verbose -d "Show errors with the daemon's own prefixes"
complete -c slirpctl -s h -l help -d 'Show the options and exit'
complete -c slirpctl -s v -l version -d 'Show the version and exit'

complete -c slirpctl -n __slirpctl_command -a add -d 'Forward ports of the host to the guest'
complete -c slirpctl -n __slirpctl_command -a list -d 'The forwards'
complete -c slirpctl -n __slirpctl_command -a remove -d 'End forwards'
complete -c slirpctl -n __slirpctl_command -a status -d "The daemon's configuration and state"
complete -c slirpctl -n __slirpctl_command -a stats -d 'Its counters that are not 0'
complete -c slirpctl -n __slirpctl_command -a connections -d 'The connections through it'
complete -c slirpctl -n __slirpctl_command -a top -d 'Rates and connections on a terminal'
complete -c slirpctl -n __slirpctl_command -a policy -d 'Show or change what the guest may reach'
complete -c slirpctl -n __slirpctl_command -a pins -d 'Addresses of names that the policy opens'
complete -c slirpctl -n __slirpctl_command -a events -d 'Show events until interrupted'
complete -c slirpctl -n __slirpctl_command -a ps -d 'The running slirpds of this user'
complete -c slirpctl -n __slirpctl_command -a raw -d 'Send a request as it is'
complete -c slirpctl -n __slirpctl_command -a version -d 'The versions of slirpctl and of the daemon'
complete -c slirpctl -n __slirpctl_command -a help -d 'All commands, or the usage of one'

complete -c slirpctl -n '__slirpctl_command add; and test (count (__slirpctl_words)) = 1' \
    -a 'tcp udp tcp4 udp4 tcp6 udp6'
complete -c slirpctl -n '__slirpctl_command policy; and test (count (__slirpctl_words)) = 1' \
    -a 'show load add remove denied suggest check test diff'
complete -c slirpctl -n '__slirpctl_command policy; and test "$(__slirpctl_words)[2..]" = test' -a 'tcp udp icmp'
complete -c slirpctl -F -n '__slirpctl_command policy; and contains -- (__slirpctl_words)[2] load check diff'
complete -c slirpctl -n '__slirpctl_command remove rm' -a '(__slirpctl_forwards)'
complete -c slirpctl -n '__slirpctl_command remove rm' -a all -d 'Every forward'
complete -c slirpctl -n '__slirpctl_command help; and test (count (__slirpctl_words)) = 1' \
    -a 'add list remove status stats connections policy pins top events ps raw version help'
complete -c slirpctl -n '__slirpctl_command events' \
    -a 'HOSTFWD_ADDED HOSTFWD_REMOVED POLICY_CHANGED PROCESS_EXITED PROCESS_STARTED RESOLV_CONF_CHANGED SHUTDOWN'
