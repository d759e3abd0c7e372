# Tries to read the secrets of other processes, as a hostile command would. POSIX shell with the usual tools.
#
# The result of each try is in $OUTPUT_OUT/<who>/<whom>/. The file $OUTPUT_OUT/<who>/tries has a line for each try.

# Reads the writable memory of process $1: heap, stacks, the environment's strings.
memory() (
    while read -r range permissions rest; do
        case $permissions in rw*) ;; *) continue ;; esac
        from=$((0x${range%-*} / 4096)) to=$((0x${range#*-} / 4096))
        dd if="/proc/$1/mem" bs=4096 skip="$from" count="$((to - from))" 2>/dev/null
    done < "/proc/$1/maps"
)

opened() { cat /dev/null < "$1" && echo opened; }

# Regular files only, because reading a pipe would block.
open_files() {
    for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if [ -f "/proc/$1/fd/$number" ]; then cat "/proc/$1/fd/$number"; fi
    done
}

# try WHO WHOM NAME COMMAND...
try() {
    who=$1 whom=$2 name=$3; shift 3
    mkdir -p "$OUTPUT_OUT/$who/$whom"
    "$@" > "$OUTPUT_OUT/$who/$whom/$name" 2> /dev/null
    if [ -s "$OUTPUT_OUT/$who/$whom/$name" ]; then got=got; else got=nothing; fi
    echo "$whom $name $got" >> "$OUTPUT_OUT/$who/tries"
}

# steal WHO WHOM PID: everything that /proc protects.
steal() {
    for name in environ maps smaps auxv io; do try "$1" "$2" "$name" cat "/proc/$3/$name"; done
    for name in cwd root exe; do try "$1" "$2" "$name" readlink "/proc/$3/$name"; done
    for name in fd map_files; do try "$1" "$2" "$name" ls -l "/proc/$3/$name"; done
    try "$1" "$2" mem opened "/proc/$3/mem"
    try "$1" "$2" memory memory "$3"
    try "$1" "$2" open-files open_files "$3"
    try "$1" "$2" threads-environ sh -c "cat /proc/$3/task/*/environ"
    try "$1" "$2" threads-mem opened "/proc/$3/task/$3/mem"
}

case $1 in
steal) steal "$2" "$3" "$4"; exit ;;
esac

# A process that every process of this user may read. A probe that can't read its secret is broken.
WITNESS=MARKER-of-the-witness sh -c 'exec 3< "$0"; read -r line <&3; sleep 600' ./witness.txt & witness=$!
until tr '\0' '\n' < "/proc/$witness/cmdline" | grep -q witness.txt; do :; done

steal child worker "$PPID"
steal child witness "$witness"
# From a grandchild in another session, and from root of a user namespace.
setsid sh "$0" steal stranger worker "$PPID"
unshare --user --map-root-user sh "$0" steal root worker "$PPID"
kill "$witness"

# The data that all processes may read, and this process's own.
try child all command-lines sh -c 'cat /proc/[0-9]*/cmdline'
try child all environments sh -c 'cat /proc/[0-9]*/environ'
try child own open-files ls /proc/self/fd
try child own environment env
try child own status cat "/proc/$$/status"
# All files in the work folder, including other jobs' folders, and small files of this user elsewhere.
work_folder=$HOME/../../..
try child disk listing ls -laR "$work_folder"
try child disk files find "$work_folder" -type f ! -path '*/out/*' -exec cat {} +
try child disk temporary find /tmp /var/tmp /dev/shm -maxdepth 3 -type f -user "$(id -u)" -size -64k -exec cat {} +
exit 0
