// The microphone: from a press to the next one, a minute at most.

const LONGEST = 60;  // seconds

// What is meant for calls would change how a voice sounds.
const AS_IT_IS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

const WHY = {
  NotAllowedError: "This page may not use the microphone; the browser's settings for it can allow that.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "Another program uses the microphone.",
};

// Whether there is any: browsers open it on https and on this computer alone.
export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

// `on`: time(seconds, loudness 0 to 1), done(blob), failed(sentence). Gives what stops it, and what drops it.
export function record(on) {
  let stream = null, recorder = null, dropped = false;
  const end = () => {
    dropped = dropped || !recorder;
    if (recorder?.state === "recording") recorder.stop();
  };
  (async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
    } catch (error) {
      if (!dropped) on.failed(WHY[error.name] ?? "The microphone cannot be used.");
      return;
    }
    const close = () => stream.getTracks().forEach((track) => track.stop());
    if (dropped) return close();
    const parts = [];
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const meter = listen(stream);
    const begun = performance.now();
    const timer = setInterval(() => {
      const seconds = (performance.now() - begun) / 1000;
      on.time(seconds, meter.loudness());
      if (seconds >= LONGEST) end();
    }, 100);
    recorder.onstop = () => {
      clearInterval(timer);
      meter.close();
      close();
      if (!dropped) on.done(new Blob(parts, { type: recorder.mimeType }));
    };
    recorder.start();
    on.time(0, 0);
  })();
  return { stop: end, drop: () => { dropped = true; end(); } };
}

function listen(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    loudness: () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
      return Math.max(0, Math.min(1, 1 + Math.log10(power + 1e-10) / 6));  // 0 at -60 dB
    },
    close: () => context.close(),
  };
}
