// SPDX-License-Identifier: MIT
// What a test adds to the page of engine/call_page.html: a known tone for a microphone, and eyes and
// ears on what comes from the other side.
'use strict';
const TONE = 700;

// The camera stays the browser's own fake one.
const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async wanted => {
  const stream = await given({ video: wanted.video });
  const audio = new AudioContext(), tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.frequency.value = TONE;
  tone.connect(out);
  tone.start();
  stream.addTrack(out.stream.getAudioTracks()[0]);
  return stream;
};

// The time code in a picture, in microseconds; null when there is none (engine/base/time_code.h).
function timeCode(video) {
  const side = Math.floor(video.videoWidth / 34 / 16) * 16;
  if (!side) return null;
  const canvas = new OffscreenCanvas(video.videoWidth, 2 * side);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const white = (column, row) =>
    pixels[4 * ((row * side + side / 2) * canvas.width + column * side + side / 2) + 1] > 128;
  if (white(0, 0) || !white(0, 1) || !white(33, 0) || white(33, 1)) return null;
  let us = 0n, said = 0, crc = 0xffff;
  for (let i = 0; i < 64; i++) {
    const bit = white(1 + i % 32, i >> 5) ? 1 : 0;
    if (i >= 48) { said = said << 1 | bit; continue; }
    us = us << 1n | BigInt(bit);
    const top = (crc >> 15 ^ bit) & 1;
    crc = (crc << 1 ^ (top ? 0x1021 : 0)) & 0xffff;
  }
  return said === crc ? Number(us) : null;
}

// Watches the other side's picture and sound for some seconds.
async function observe(seconds) {
  const video = document.getElementById('there');
  const seen = { pictures: 0, codes: 0, rising: true, first: 0, last: 0, tone: 0 };
  const audio = new AudioContext(), analyser = audio.createAnalyser();
  const sounds = video.srcObject.getAudioTracks();
  if (sounds.length) {
    analyser.fftSize = 8192;
    audio.createMediaStreamSource(new MediaStream(sounds)).connect(analyser);
  }
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    await new Promise(done => {
      video.requestVideoFrameCallback(done);
      setTimeout(done, 500);
    });
    seen.pictures++;
    const code = timeCode(video);
    if (code === null) continue;
    if (seen.codes++ === 0) seen.first = code;
    else if (code < seen.last) seen.rising = false;
    seen.last = code;
  }
  if (sounds.length) {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    if (bins[loudest] > -60) seen.tone = loudest * audio.sampleRate / analyser.fftSize;
  }
  audio.close();
  return seen;
}

let restarts = 0;

// Other paths for the call as it stands (RFC 9725 section 4.3.3): new credentials there and back.
async function restartIce() {
  const all = new Promise(done => {
    pc.onicecandidate = e => e.candidate || done();
    setTimeout(done, 1000);
  });
  await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
  await all;
  const lines = pc.localDescription.sdp.split('\r\n');
  const starts = lines.flatMap((l, i) => l.startsWith('m=') ? [i] : []);
  const first = lines.slice(0, starts[1]);
  const answer = await fetch(session, {
    method: 'PATCH',
    headers: Object.assign({ 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' },
      authorization()),
    body: first.filter(l => /^(m=|a=(ice-ufrag|ice-pwd|mid|candidate))/.test(l)).join('\r\n') + '\r\n',
  });
  if (answer.status !== 200) throw new Error('ICE cannot restart: ' + answer.status);
  late.tag = answer.headers.get('ETag');
  const fragment = (await answer.text()).split('\r\n');
  const line = start => fragment.find(l => l.startsWith(start));
  // The same addresses as before: marked as new, or Chromium keeps to the old credentials.
  const mark = ` generation ${++restarts} ufrag ${line('a=ice-ufrag:').slice(12)}`;
  const candidates = fragment.filter(l => l.startsWith('a=candidate:')).map(l => l + mark);
  let told = false;
  const sdp = pc.remoteDescription.sdp.split('\r\n').filter(l => !l.startsWith('a=candidate:')).flatMap(l => {
    if (l.startsWith('a=ice-ufrag:')) return [line('a=ice-ufrag:')];
    if (l.startsWith('a=ice-pwd:')) return [line('a=ice-pwd:')];
    if (!l.startsWith('a=mid:') || told) return [l];
    told = true;
    return [l, ...candidates];
  });
  await pc.setRemoteDescription({ type: 'answer', sdp: sdp.join('\r\n') });
}

// The figures that tests look at.
async function figuresOf() {
  const all = await pc.getStats(), out = { state: pc.connectionState };
  for (const s of all.values()) {
    const codec = s.codecId && all.get(s.codecId) ? all.get(s.codecId).mimeType.split('/')[1] : '';
    if (s.type === 'inbound-rtp' || s.type === 'outbound-rtp')
      out[s.kind + (s.type === 'inbound-rtp' ? '_in' : '_out')] = Object.assign({ codec }, s);
    if (s.type === 'candidate-pair' && s.nominated && s.availableOutgoingBitrate)
      out.outgoing_bps = s.availableOutgoingBitrate;
    if (s.type === 'transport' && s.selectedCandidatePairId)
      out.port = all.get(all.get(s.selectedCandidatePairId).localCandidateId).port;
    if (s.type === 'transport') Object.assign(out, { dtls: s.dtlsState, srtp: s.srtpCipher });
  }
  return out;
}
