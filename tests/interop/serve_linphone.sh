#!/bin/bash
# SPDX-License-Identifier: MIT
# serve_linphone.sh udp|tcp|tls: linphonec signs in at `tandem serve`, gets a message of baresip's and
# sends one, calls it and is called by it, all through the server.
. "$(dirname "$0")/lib.sh"
VIA=$1
need linphonec baresip "$TANDEM"
. "$HERE/serve_lib.sh"
home ann lin
baresip_account ann 5070 4441 lin
start ANN ann.log baresip -4 -s -f "$W/ann" -v
wait_for 20 ann.log '200 OK' || fail "baresip is not signed in" ann.log serve.log

# linphonec: its domain is in no DNS, so all goes by a route. -a: it answers by itself.
mkdir -p "$W/lin/.local/share/linphone" "$W/lin/.config/linphone"
cat >"$W/lin/rc" <<-RC
	[sip]
	sip_port=5080
	sip_tcp_port=5080
	sip_tls_port=5081
	default_proxy=0
	use_ipv6=0
	verify_server_certs=0
	verify_server_cn=0
	[rtp]
	audio_rtp_port=7100-7150
	[video]
	capture=0
	display=0
	[proxy_0]
	reg_proxy=<sip:127.0.0.1:$PORT;transport=$VIA>
	reg_route=<sip:127.0.0.1:$PORT;transport=$VIA;lr>
	reg_identity=sip:lin@home.test
	reg_expires=60
	reg_sendregister=1
	publish=0
	[auth_info_0]
	username=lin
	userid=lin
	passwd=pw-lin
	domain=home.test
RC
mkfifo "$W/lin/in"
exec {LINPHONE_IN_lin}<>"$W/lin/in"
env HOME="$W/lin" linphonec -a -c "$W/lin/rc" -d 6 -l "$W/lin.core.log" <"$W/lin/in" >"$W/lin.log" 2>&1 &
PIDS+=($!)
wait_for 20 lin.core.log 'LinphoneRegistrationOk' || fail "linphone is not signed in" lin.log lin.core.log serve.log

control 4441 message "sip:lin@home.test hello from baresip"
wait_for 20 lin.log 'hello from baresip' || fail "linphone did not get the message" lin.log ann.log
linphone_say lin 'chat sip:ann@home.test "hello from linphone"'
wait_for 20 ann.log 'hello from linphone' || fail "linphone's message did not arrive" lin.log ann.log

linphone_say lin "call sip:ann@home.test"
wait_for 20 ann.log 'Call established' || fail "linphone's call did not arrive" lin.log ann.log
wait_for 20 lin.core.log 'LinphoneCallStreamsRunning' || fail "linphone's call did not start" lin.log ann.log
linphone_say lin terminate
wait_for 20 ann.log '^BYE ' || fail "the end did not arrive" lin.log ann.log
: >"$W/ann.log"
control 4441 dial sip:lin@home.test
wait_for 20 ann.log 'Call established' || fail "the call to linphone did not start" lin.log ann.log
control 4441 hangup ""
wait_for 20 lin.core.log 'BYE sip:lin@' || fail "linphone did not hear of the end" lin.log ann.log
pass "$VIA: messages and calls both ways"
