#!/bin/bash
# SPDX-License-Identifier: MIT
# openssl.sh PEER: OpenSSL's own client and server against our DTLS and TLS, both roles: the same
# keys for SRTP on both sides, text both ways, a wrong certificate refused, and nothing older or
# without SRTP accepted.
set -u
peer=$1
command -v openssl >/dev/null || { echo "SKIP: needs the package openssl"; exit 77; }
dir=$(mktemp -d)
port=$((20000 + $$ % 20000))
failures=0
trap 'rm -rf "$dir"' EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other \
    -keyout "$dir/key" -out "$dir/cert" 2>/dev/null || exit 1
fingerprint() {
    openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f
}
theirs=$(fingerprint "$dir/cert")
wrong=${theirs//[0-7]/8}

check() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then
        echo "ok: $name"
    else
        echo "FAILED: $name"
        sed 's/^/    ours: /' "$dir/ours"
        tail -25 "$dir/other" | sed 's/^/    openssl: /'
        failures=$((failures + 1))
    fi
}

has() { grep -q -- "$2" "$dir/$1"; }

wait_for() { # FILE TEXT
    for _ in $(seq 200); do
        has "$1" "$2" && return
        sleep 0.05
    done
}

# Text goes in when the connection stands, and the program ends a little later.
speak() { # FILE TEXT
    wait_for "$1" "$2"
    echo hello
    wait_for ours "got hello\|failed"
    sleep 0.1
}

run_ours_first() { # PROTOCOL FINGERPRINT OPENSSL_ARGUMENTS...
    local protocol=$1 expected=$2
    shift 2
    port=$((port + 1))
    : >"$dir/other"
    timeout 8 "$peer" "$protocol" server $port "$dir/identity" "$expected" >"$dir/ours" 2>&1 &
    local pid=$!
    wait_for ours listening
    speak other "Verification\|alert\|error" | timeout 8 openssl s_client -connect 127.0.0.1:$port \
        -cert "$dir/cert" -key "$dir/key" "$@" >"$dir/other" 2>&1
    wait $pid
}

run_theirs_first() { # PROTOCOL FINGERPRINT OPENSSL_ARGUMENTS...
    local protocol=$1 expected=$2
    shift 2
    port=$((port + 1))
    : >"$dir/ours"
    : >"$dir/other"
    speak ours "keys\|up\|failed" | timeout 8 openssl s_server -port $port -4 -Verify 1 -naccept 1 \
        -cert "$dir/cert" -key "$dir/key" "$@" >"$dir/other" 2>&1 &
    local pid=$!
    wait_for other ACCEPT
    timeout 8 "$peer" "$protocol" client $port "$dir/identity" "$expected" >"$dir/ours" 2>&1
    kill $pid 2>/dev/null
    wait $pid
}

# What OpenSSL exported: client key, server key, client salt, server salt (RFC 5764 section 4.2).
same_keys() { # ROLE
    local material local_key remote_key client server
    material=$(sed -n 's/.*Keying material: //p' "$dir/other" | tr A-F a-f)
    read -r _ _ local_key remote_key < <(grep '^keys' "$dir/ours")
    client=${material:0:32}${material:64:$(((${#material} - 64) / 2))}
    server=${material:32:32}${material:$((64 + (${#material} - 64) / 2))}
    [ -n "$material" ] || return 1
    if [ "$1" = client ]; then
        [ "$local_key" = "$client" ] && [ "$remote_key" = "$server" ]
    else
        [ "$local_key" = "$server" ] && [ "$remote_key" = "$client" ]
    fi
}

gcm="-dtls1_2 -use_srtp SRTP_AEAD_AES_128_GCM -keymatexport EXTRACTOR-dtls_srtp -keymatexportlen 56"
old="-dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_80 -keymatexport EXTRACTOR-dtls_srtp -keymatexportlen 60"
for role in server client; do
    run=run_ours_first
    [ $role = client ] && run=run_theirs_first
    $run dtls "$theirs" $gcm
    check "dtls, we are the $role: same keys" same_keys $role
    check "dtls, we are the $role: GCM" has ours "keys AEAD_AES_128_GCM"
    check "dtls, we are the $role: text comes" has ours "got hello"
    $run dtls "$theirs" $old
    check "dtls, we are the $role: an old profile, same keys" same_keys $role
    check "dtls, we are the $role: AES-CM" has ours "keys AES128_CM_SHA1_80"
    $run dtls "$wrong" $gcm
    check "dtls, we are the $role: wrong certificate" has ours "somebody may sit between"
    $run dtls "$theirs" -dtls1_2
    check "dtls, we are the $role: no SRTP" has ours "no keys for SRTP"
    # Whatever it says to that: it must not stand.
    $run dtls "$theirs" -dtls1 -cipher ALL:@SECLEVEL=0 -use_srtp SRTP_AES128_CM_SHA1_80
    check "dtls, we are the $role: DTLS 1.0" has ours "failed: "
    $run tls "$theirs" -tls1_3
    check "tls, we are the $role: text comes" has ours "got hello"
    $run tls "$wrong" -tls1_3
    check "tls, we are the $role: wrong certificate" has ours "somebody may sit between"
    $run tls "$theirs" -tls1_2
    check "tls, we are the $role: TLS 1.2" has ours "failed: "
done
[ $failures = 0 ]
