# SPDX-License-Identifier: BSD-2-Clause
# Completion of slirpd's command line for fish.

set -g __slirpd_options_with_value -e -r -m -a --exit-fd --ready-fd --mtu --api-socket --publish --cidr --cidr6 \
    --netns-type --userns-path --runas --policy --allow-out --deny-out --policy-mode --outbound-addr --outbound-addr6 --macaddress --target-type \
    --pidfile --restart --log-file --log-level

# The arguments, one a line, without options and their values.
function __slirpd_arguments
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case '--*=*'
            case $__slirpd_options_with_value
                set skip 1
            case '-*'
            case '*'
                printf '%s\n' $word
        end
    end
end

# True if `slirpd run` is typed.
function __slirpd_run
    set -l words (commandline -opc)
    contains -- run $words[2]
end

# True if that many arguments are there and the first is of this type.
function __slirpd_at
    not __slirpd_run; or return
    test (count (__slirpd_arguments)) = $argv[1]; or return
    set -l type (string match -r -g -- '--netns-type[= ](\w+)' "$(commandline -pc)")
    test "$argv[2]" = any; or test "$argv[2]" = "$type"; or test "$argv[2]" = pid -a -z "$type"
end

# PIDs of the processes with another network namespace, as far as this user may look.
function __slirpd_guests
    set -l own (stat -L -c %i /proc/self/ns/net)
    stat -L -c '%i %n' /proc/*/ns/net 2>/dev/null | string match -v "$own *" |
        string replace -rf '^\d+ /proc/(\d+)/ns/net$' '$1'
end

complete -c slirpd -f
complete -c slirpd -s c -l configure -d 'Bring the interface up and give it address and route'
complete -c slirpd -s e -l exit-fd -x -d 'End when the other side of this descriptor is closed'
complete -c slirpd -s r -l ready-fd -x -d 'Write 1 to this descriptor when the network works'
complete -c slirpd -s m -l mtu -x -a '1500 65520' -d 'MTU of the interface'
complete -c slirpd -s 6 -l enable-ipv6 -d 'IPv6 beside IPv4'
complete -c slirpd -s a -l api-socket -r -F -d 'Socket for requests while running'
complete -c slirpd -l publish -x -d 'Forward to the guest'
complete -c slirpd -l cidr -x -d 'Network of the guest'
complete -c slirpd -l cidr6 -x -d 'IPv6 network of the guest'
complete -c slirpd -l disable-host-loopback -d 'No access to the loopback of the host'
complete -c slirpd -l allow-host-loopback -d 'With run: access to the loopback of the host'
complete -c slirpd -l netns-type -x -a 'pid path tapfd' -d 'Type of argument 1'
complete -c slirpd -l create-netns -d 'Make the namespace and pin it on PATH'
complete -c slirpd -l userns-path -r -F -d 'User namespace to join'
complete -c slirpd -l enable-sandbox -d 'Fail if the sandbox cannot be made'
complete -c slirpd -l disable-sandbox -d 'Do without the sandbox'
complete -c slirpd -l enable-seccomp -d 'Fail if the system call filter cannot be installed'
complete -c slirpd -l disable-seccomp -d 'Do without the system call filter'
complete -c slirpd -l runas -x -a '(__fish_complete_users)' -d 'As root: user of the worker'
complete -c slirpd -l print-confinement -d 'Report the jails of all processes as JSON and exit'
complete -c slirpd -l keep-id -d 'With run: keep uid and gid'
complete -c slirpd -l policy -r -F -a 'open internet closed' -d 'What the guest may reach'
complete -c slirpd -l allow-out -x -d 'The guest may reach this'
complete -c slirpd -l deny-out -x -d 'The guest may not reach this'
complete -c slirpd -l policy-mode -x -a audit -d 'Count what the policy denies'
complete -c slirpd -l policy-lock -d 'Requests may deny more, and open nothing'
complete -c slirpd -l check-policy -d 'Check the policy and exit'
complete -c slirpd -l outbound-addr -x -a '(__fish_print_interfaces)' -d 'Source address of IPv4 connections'
complete -c slirpd -l outbound-addr6 -x -a '(__fish_print_interfaces)' -d 'Source address of IPv6 connections'
complete -c slirpd -l disable-dns -d 'No built-in DNS server'
complete -c slirpd -l macaddress -x -d 'Address of the interface'
complete -c slirpd -l target-type -x -a 'netns bess' -d 'Type of the other end'
complete -c slirpd -l pidfile -r -F -d 'File to write the PID to'
complete -c slirpd -l log-file -r -F -d 'File to log to'
complete -c slirpd -l restart -x -a 'yes no' -d 'Start a process that died again'
complete -c slirpd -l log-level -x -a 'error warning info debug' -d 'Log level'
complete -c slirpd -s h -l help -d 'Show the options and exit'
complete -c slirpd -s v -l version -d 'Show the version and exit'

complete -c slirpd -n '__slirpd_at 0 path' -F
complete -c slirpd -n '__slirpd_at 0 pid' -a '(__slirpd_guests)' -d 'Process in the guest'
complete -c slirpd -n '__slirpd_at 0 pid' -a run -d 'Run a command with a network of its own'
complete -c slirpd -n __slirpd_run -a "(__fish_complete_subcommand --fcs-skip=2 $__slirpd_options_with_value)"
complete -c slirpd -n '__slirpd_at 1 any' -a tap0 -d 'The interface in the guest'
