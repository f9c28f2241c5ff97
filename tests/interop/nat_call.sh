#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real calls between two tandem processes behind real NATs, with coturn as STUN and TURN server.
#   nat_call.sh KIND_OF_A KIND_OF_B PATH...   PATH: what A may say of its path (direct, reflexive,
#   mapped, relayed); sound and picture must come both ways.
. "$(dirname "$0")/lib.sh"
. "$HERE/nat_lib.sh"
A=$1 B=$2
SERVERS=${SERVERS:---turn u:p@44.0.0.1 --turn u:p@44.0.0.1?transport=tcp}
shift 2
make_public
[ -x "$TANDEM" ] || skip "$TANDEM is not built"
start_coturn
make_side a "$A"
make_side b "$B"

# SIP passes over TCP as if by a proxy: each NAT lets port 5060 in, and takes the other side's inner
# address, which stands in its Contact, for its outer one.
outer_of() { [ "$2" = none ] && echo "44.$1.0.2" || echo "44.$1.0.1"; }
inner_of() { [ "$2" = none ] && echo "44.$1.0.2" || echo "10.$1.0.2"; }
let_sip_in() { # a|b N KIND
	local nat=NAT_$1 inner=INNER_$1
	[ "$3" != none ] || return 0
	nsenter -t "${!nat}" -n nft insert rule inet filter prerouting iifname out0 tcp dport 5060 \
		dnat ip to "$([ "$3" = double ] && echo "10.1$2.0.2" || echo "10.$2.0.2")"
	[ "$3" != double ] || nsenter -t "${!inner}" -n nft insert rule inet filter prerouting iifname out0 \
		tcp dport 5060 dnat ip to "10.$2.0.2"
}
let_sip_out() { # a|b INNER OUTER of the other side
	[ "$2" != "$3" ] || return 0
	in_side "$1" nft -f - <<-NFT
		table inet sip {
		    chain output {
		        type nat hook output priority -100;
		        ip daddr $2 tcp dport 5060 dnat ip to $3
		    }
		}
	NFT
}
let_sip_in a 1 "$A"
let_sip_in b 2 "$B"
let_sip_out a "$(inner_of 2 "$B")" "$(outer_of 2 "$B")"
let_sip_out b "$(inner_of 1 "$A")" "$(outer_of 1 "$A")"
target=$(outer_of 2 "$B")

side() { # a|b VERB...
	local s=$1
	shift
	mkdir -p "$W/home_$s"
	in_side "$s" env HOME="$W/home_$s" "$TANDEM" "$@" $SERVERS -c:v vp8 -s 320x240 -r 15 \
		--audio tone --video pattern --sink null --speaker null --no-keys --json \
		>"$W/$s.json" 2>"$W/$s.log" </dev/null &
	printf -v "TANDEM_$s" %s "$!"
	PIDS+=("$!")
}
side b answer --auto --seconds 6
for ((n = 0; n < 100; n++)); do
	in_side b ss -lnt | grep -q :5060 && break
	sleep 0.1
done
[ "$A" != upnp ] && [ "$B" != upnp ] || sleep 3 # Gateways are found in the background.
side a call "sip:b@$target;transport=tcp" --seconds 4
wait "$TANDEM_a"
code=$?
[ $code = 0 ] || fail "$A calls $B: the call ended with $code" a.log a.json b.log coturn.log
wait "$TANDEM_b"
PATHS="$*" python3 - "$W/a.json" "$W/b.json" <<'PYTHON' || fail "$A calls $B: see above" a.log b.log coturn.log
import json, os, sys
bad = []
for name in sys.argv[1:]:
    call = json.load(open(name))
    call = call["report"]
    security, audio, video = call["security"], call["audio"], call["video"]
    print(os.path.basename(name), security["path"], security["protection"], "ready", security["ready_ms"], "ms, media",
          security["media_ms"], "ms;", audio["packets_received"], "packets of sound,", video["packets_received"], "of video")
    if security["path"] not in os.environ["PATHS"].split():
        bad.append(f"{name}: path {security['path']}")
    if audio["packets_received"] < 150 or video["packets_received"] < 30:
        bad.append(f"{name}: media did not pass")
    if security["protection"] != "dtls":
        bad.append(f"{name}: not encrypted")
print("\n".join(bad))
sys.exit(bool(bad))
PYTHON
pass "$A calls $B"
