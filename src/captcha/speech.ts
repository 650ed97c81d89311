import { readFileSync } from 'node:fs';
import type { Noise } from './noise.js';

/** 8 kHz, one channel, 8 bits unsigned: as good as a telephone. */
const RATE = 8_000;
const SILENCE = 128;
const NOISE_LEVEL = 0.05;

/** The samples of a WAV file: what follows the size of its `data` chunk. */
function samplesOf(file: Buffer): Buffer {
  const at = file.indexOf('data', 12, 'latin1');
  return file.subarray(at + 8, at + 8 + file.readUInt32LE(at + 4));
}

const NAMES = /^([abdefghlmrt234678]|upper|lower)$/;
const clips = new Map<string, Buffer>();

/** A spoken clip, made once with a speech synthesiser (ADR 0006); empty for characters outside the alphabet. */
function clip(locale: string, name: string): Buffer {
  if (!NAMES.test(name)) return Buffer.alloc(0);
  const path = `${locale}/${name}.wav`;
  let samples = clips.get(path);
  if (samples === undefined) {
    samples = samplesOf(readFileSync(new URL(`../../views/assets/audio/${path}`, import.meta.url)));
    clips.set(path, samples);
  }
  return samples;
}

const pause = (seconds: number): Buffer => Buffer.alloc(Math.round(seconds * RATE), SILENCE);

const atSpeed = (samples: Buffer, speed: number): Buffer =>
  Buffer.from(
    Uint8Array.from({ length: samples.length / speed }, (_, at) => samples[Math.floor(at * speed)] ?? SILENCE),
  );

const nameOfCase = (character: string): 'upper' | 'lower' =>
  character === character.toLowerCase() ? 'lower' : 'upper';

function spoken(character: string, locale: string): Buffer[] {
  const name = clip(locale, character.toLowerCase());
  if (name.length === 0) return [];
  return /\d/.test(character) ? [name] : [clip(locale, nameOfCase(character)), name];
}

function wav(samples: Buffer): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE, 28); // bytes a second
  header.writeUInt16LE(1, 32); // bytes a frame
  header.writeUInt16LE(8, 34); // bits a sample
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

/**
 * Speaks a text as WAV, letter by letter: "besar, B, bola". For those who cannot see the picture; speed, pauses and a
 * soft noise vary, so that the clips cannot simply be found in it.
 */
export function speak(text: string, { noise, locale }: { noise: Noise; locale: 'id' | 'en' }): Buffer {
  const speech = Array.from(text).flatMap((character) => [
    pause(noise.between(0.4, 0.9)),
    ...spoken(character, locale).flatMap((samples) => [
      atSpeed(samples, noise.between(0.94, 1.06)),
      pause(noise.between(0.05, 0.2)),
    ]),
  ]);
  const clean = Buffer.concat([...speech, pause(0.4)]);
  const hiss = noise.bytes(clean.length);
  // A little softer than the clips, so that the noise never overflows.
  const mixed = clean.map((sample, at) => {
    const loud = (sample - SILENCE) * (1 - NOISE_LEVEL) + ((hiss[at] ?? SILENCE) - SILENCE) * NOISE_LEVEL;
    return Math.round(SILENCE + loud);
  });
  return wav(Buffer.from(mixed));
}
