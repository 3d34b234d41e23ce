# shellcheck shell=bash
# Sourced by the recipes here: a private apt state below build/, fed from the Debian 12 sources this machine already has.
# Nothing in /etc/apt, in the host's package lists or in the host's dpkg database is touched.

readonly SUITE=bookworm

# Prints the host's sources of $SUITE (and its -updates, -security) as one-line entries; $1 is the type: deb or deb-src.
# Both formats of apt are read: "deb [options] uri suite components" and the stanzas of *.sources files.
debian_sources() {
    local type=$1 file
    {
        for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
            [[ -e $file ]] && one_line_entries "$file"
        done
        for file in /etc/apt/sources.list.d/*.sources; do
            [[ -e $file ]] && stanza_entries "$file"
        done
    } | sed "s/^deb /$type /" | sort -u
}

one_line_entries() {
    awk -v suite="$SUITE" '
        $1 != "deb" { next }
        { rest = $0; sub(/^deb[ \t]+(\[[^]]*\][ \t]*)?/, "", rest); split(rest, word, /[ \t]+/) }
        word[2] ~ "^" suite "(-updates|-security)?$" { print }' "$1"
}

stanza_entries() {
    awk -v suite="$SUITE" '
        function flush(   options, uris, suites, u, s, nu, ns) {
            if (field["types"] ~ /(^| )deb( |$)/ && tolower(field["enabled"]) != "no") {
                options = ""
                if (field["signed-by"] ~ /^\//) options = options " signed-by=" field["signed-by"]
                if (tolower(field["trusted"]) == "yes") options = options " trusted=yes"
                if (options != "") options = "[" substr(options, 2) "] "
                nu = split(field["uris"], uris, " "); ns = split(field["suites"], suites, " ")
                for (u = 1; u <= nu; u++) for (s = 1; s <= ns; s++)
                    if (suites[s] ~ "^" suite "(-updates|-security)?$")
                        print "deb " options uris[u] " " suites[s] " " field["components"]
            }
            delete field; last = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^[ \t]/ { if (last != "") { line = $0; sub(/^[ \t]+/, " ", line); field[last] = field[last] line }; next }
        {
            at = index($0, ":"); last = tolower(substr($0, 1, at - 1)); value = substr($0, at + 1)
            gsub(/^[ \t]+|[ \t]+$/, "", value); field[last] = value
        }
        END { flush() }' "$1"
}

# Makes the private apt state in directory $1 and exports APT_CONFIG, so that apt-get and apt-cache use it from here on.
# Lists are downloaded when they are missing or $2 is "update".
private_apt() {
    local dir=$1 mode=${2:-}
    mkdir -p "$dir"/{lists/partial,cache/archives/partial,none}
    debian_sources deb >"$dir/sources.list.new"
    debian_sources deb-src >>"$dir/sources.list.new"
    if [[ ! -s $dir/sources.list.new ]]; then
        echo "no deb source for $SUITE in /etc/apt: this recipe needs the package sources of Debian 12" >&2
        return 1
    fi
    cat >"$dir/apt.conf" <<CONF
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "$dir/none";
Dir::Etc::preferencesparts "$dir/none";
Dir::State::lists "$dir/lists";
Dir::State::status "/dev/null";
Dir::Cache "$dir/cache";
APT::Sandbox::User "root";
APT::Get::Update::SourceListWarnings "false";
CONF
    export APT_CONFIG=$dir/apt.conf
    if ! cmp -s "$dir/sources.list.new" "$dir/sources.list" || [[ ! -e $dir/updated || $mode == update ]]; then
        mv "$dir/sources.list.new" "$dir/sources.list"
        rm -f "$dir/updated"
        apt-get -qq update
        touch "$dir/updated"
    else
        rm "$dir/sources.list.new"
    fi
}
