#!/bin/sh
# Writes files and their sums without end, and reads all of them back from the disk again and again. A TERM makes it check all
# files for the last time and leave the file systems as an unmount would.
cd /srv/load || exit 3
last=
trap 'last=yes' TERM
n=0
check() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
    sha256sum -s -c *.sum || { echo "BAD after round $n"; exit 4; }
}
while [ -z "$last" ]; do
    file=f$((n % 20))
    head -c $((4096 * (n % 61) + 100 * (n % 7) + 1)) /dev/urandom >new
    sha256sum new | sed "s/new/$file/" >$file.sum
    mv new $file
    n=$((n + 1))
    if [ $((n % 10)) = 0 ]; then
        check
    fi
    echo "round $n"
done
check
echo s >/proc/sysrq-trigger
echo u >/proc/sysrq-trigger
sleep 1
echo "GOOD after round $n"
