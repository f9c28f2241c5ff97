#!/bin/bash
# SPDX-License-Identifier: MIT
# serve_peers.sh udp|tcp|tls: two baresips sign in at `tandem serve`, see each other, write and call;
# over UDP also sipp signs in as a third, and linphone writes to it, first while it is away.
. "$(dirname "$0")/lib.sh"
VIA=$1
need baresip sipp "$TANDEM"
PORT=5060
[ "$VIA" = tls ] && PORT=5061
export XDG_STATE_HOME=$W/state
for user in ann ben carl dora; do
	echo "pw-$user" | "$TANDEM" serve adduser "$user" --domain home.test --password-stdin --store "$W/serve.db" >/dev/null ||
		fail "no account for $user"
done
start SERVE serve.log "$TANDEM" serve --listen 127.0.0.1 --store "$W/serve.db" --sips-port 5061 --http-port 5480 \
	--identity "$W/serve.pem" --no-secret --no-announcement
wait_for 20 serve.log 'SIP on' || fail "the server did not start" serve.log

baresip_account() { # USER PORT CONTROL OTHER
	mkdir -p "$W/$1"
	cat >"$W/$1/config" <<-C
		poll_method epoll
		sip_listen 127.0.0.1:$2
		audio_source ausine,440
		audio_player aubridge,nil
		audio_alert aubridge,alert
		ausrc_srate 48000
		ausrc_channels 2
		auplay_channels 2
		auplay_srate 48000
		net_interface 127.0.0.1
		module_path /usr/lib/baresip/modules
		module g711.so
		module aubridge.so
		module ausine.so
		module ctrl_tcp.so
		module_tmp uuid.so
		module_tmp account.so
		module_app menu.so
		module_app contact.so
		module_app presence.so
		ctrl_tcp_listen 127.0.0.1:$3
	C
	echo "<sip:$1@home.test>;auth_user=$1;auth_pass=pw-$1;outbound=\"sip:127.0.0.1:$PORT;transport=$VIA\";regint=60;answermode=auto;pubint=60" >"$W/$1/accounts"
	echo "\"$4\" <sip:$4@home.test>;presence=p2p" >"$W/$1/contacts"
}

# control PORT COMMAND PARAMS
control() {
	local text="{\"command\":\"$2\",\"params\":\"$3\",\"token\":\"t\"}"
	timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$1"'; printf "%s:%s," "${#0}" "$0" >&3; timeout 0.7 head -c 300 <&3' "$text" >/dev/null 2>&1
}

baresip_account ann 5070 4441 ben
baresip_account ben 5080 4442 ann
start BEN ben.log baresip -4 -s -f "$W/ben" -v
wait_for 20 ben.log '200 OK' || fail "ben is not signed in" ben.log serve.log
start ANN ann.log baresip -4 -s -f "$W/ann" -v
wait_for 20 ann.log '200 OK' || fail "ann is not signed in" ann.log serve.log
wait_for 20 ann.log '^NOTIFY ' || fail "ann does not see ben" ann.log
control 4441 message "sip:ben@home.test hello"
wait_for 20 ben.log '^MESSAGE ' || fail "ben did not get the message" ann.log ben.log
control 4441 dial sip:ben@home.test
wait_for 20 ann.log 'Call established' || fail "no call" ann.log ben.log
control 4441 hangup ""
wait_for 20 ben.log '^BYE ' || fail "the end did not arrive" ann.log ben.log
[ "$VIA" = udp ] || pass "$VIA: presence, message, call"

command -v lp-sendmsg >/dev/null || pass "$VIA: presence, message, call; linphone is not installed"
mkdir -p "$W/linphone/.local/share/linphone"
HOME=$W/linphone timeout 20 lp-sendmsg --from sip:dora@home.test --to sip:carl@home.test --route "<sip:127.0.0.1:5060;transport=udp;lr>" \
	--passwd pw-dora --text "hello from linphone" --verbose >"$W/linphone.log" 2>&1
sipp 127.0.0.1:5060 -i 127.0.0.1 -p 5203 -sf "$HERE/sipp/register.xml" -m 1 -nostdin -s carl -au carl -ap pw-carl -key user carl \
	-timeout 20 -timeout_error >"$W/register.log" 2>&1 || fail "sipp is not signed in" register.log
start CARL carl.log sipp -i 127.0.0.1 -p 5203 -sf "$HERE/sipp/take_message.xml" -m 1 -nostdin -trace_msg -message_file "$W/carl_messages.log"
wait_for 30 carl_messages.log 'hello from linphone' || fail "what linphone wrote while carl was away did not arrive" linphone.log carl.log
pass "$VIA: presence, message, call; linphone's message kept for sipp"
