# SPDX-License-Identifier: MIT
# What tests with other programs at `tandem serve` share; sourced behind lib.sh. VIA is udp, tcp or tls.
PORT=5060
[ "$VIA" = tls ] && PORT=5061
export XDG_STATE_HOME=$W/state

# home USER...: the server of home.test, with these accounts; a password is "pw-" and the name.
home() {
	local user
	for user in "$@"; do
		echo "pw-$user" | "$TANDEM" serve adduser "$user" --domain home.test --password-stdin --store "$W/serve.db" >/dev/null ||
			fail "no account for $user"
	done
	start SERVE serve.log "$TANDEM" serve --listen 127.0.0.1 --store "$W/serve.db" --sips-port 5061 --http-port 5480 \
		--identity "$W/serve.pem" --no-secret
	wait_for 20 serve.log 'SIP on' || fail "the server did not start" serve.log
}

# baresip_account USER PORT CONTROL OTHER: settings in $W/USER of a baresip that signs in over VIA and
# answers by itself; `control CONTROL` tells it what to do.
baresip_account() {
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
