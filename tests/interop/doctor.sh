#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `tandem doctor` behind each kind of NAT, with coturn as its server: what it says of each service
# must be what the NAT allows.
. "$(dirname "$0")/lib.sh"
. "$HERE/nat_lib.sh"
make_public
start_coturn
[ -x "$TANDEM" ] || skip "$TANDEM is not built"
seen=0
while IFS='|' read -r kind servers expected; do
	make_side a "$kind"
	in_side a timeout 40 env HOME="$W" "$TANDEM" doctor $servers --audio tone --video pattern --speaker null --json \
		>"$W/$kind.json" 2>"$W/$kind.log" </dev/null
	code=$?
	[ $code -le 1 ] || fail "$kind: doctor ended with $code" "$kind.log" "$kind.json"
	KIND=$kind EXPECTED=$expected CODE=$code python3 - "$W/$kind.json" <<-'PYTHON' || fail "$kind: see above" "$kind.json"
		import json, os, re, sys
		report = json.load(open(sys.argv[1]))
		said = {s["service"]: f'{s["verdict"]} {s["path"]}' for s in report["services"]}
		said.update({c["check"]: f'{c["verdict"]} {c["found"]}' for c in report["checks"]})
		bad = [f"{name}: {said.get(name)!r} is not {wanted!r}"
		       for name, _, wanted in (e.partition("=") for e in os.environ["EXPECTED"].split(";"))
		       if not re.search(wanted, said.get(name, ""))]
		well = all(s["verdict"] in ("works", "untested") for s in report["services"])
		if well != (os.environ["CODE"] == "0"):
		    bad.append(f"exit code {os.environ['CODE']}")
		print(os.environ["KIND"], "; ".join(bad) or "as it should be:", said["voice"])
		sys.exit(bool(bad))
	PYTHON
	seen=$((seen + 1))
	ip link del pub1
done <<'KINDS'
none|--turn u:p@44.0.0.1|voice=works direct: no NAT;relay=works relay over UDP, TCP;nat=no NAT
port-restricted|--turn u:p@44.0.0.1|voice=works direct through;nat=endpoint-independent, filtering address- and port
symmetric|--stun 44.0.0.1|voice=hindered direct only;nat=hindered .*mapping address
symmetric|--turn u:p@44.0.0.1|voice=works .*else relayed;relay=works
blocked|--stun 44.0.0.1|voice=broken UDP is blocked;nat=broken UDP is blocked
blocked|--turn u:p@44.0.0.1|voice=hindered relayed over TCP;relay=works relay over TCP$
upnp|--stun 44.0.0.1|voice=works direct: the gateway;UPnP=works .*44.1.0.1;NAT-PMP=works
none|--turn u:wrong@44.0.0.1|relay=broken;relay over UDP=broken 44.0.0.1: .*(password|credentials)
none|--turn u:p@44.0.0.77|relay=broken;nat=broken;voice=untested the server
KINDS
pass "$seen kinds of networks"
