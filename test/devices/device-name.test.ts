import { cleanDeviceName, MAX_DEVICE_NAME } from '#src/devices/device-name.js';

describe("a device's name (R-52)", () => {
  it.each([
    ['Ponsel kerja', 'Ponsel kerja'],
    ['  Ponsel \t\n kerja  ', 'Ponsel kerja'],
    ['Ponsel\u00a0\u3000kerja', 'Ponsel kerja'],
    ['Te\u0301le\u0301phone', 'Téléphone'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['**tebal** & "kutip"', '**tebal** & "kutip"'],
    ['📱 saya', '📱 saya'],
    ['x'.repeat(MAX_DEVICE_NAME), 'x'.repeat(MAX_DEVICE_NAME)],
    ['📱'.repeat(MAX_DEVICE_NAME), '📱'.repeat(MAX_DEVICE_NAME)],
    ['e\u0301'.repeat(MAX_DEVICE_NAME), 'é'.repeat(MAX_DEVICE_NAME)],
  ])('%j is kept as %j', (typed, name) => {
    expect(cleanDeviceName(typed)).toBe(name);
  });

  it.each([
    ['nothing', ''],
    ['spaces alone', ' \t\u00a0\n'],
    ['51 letters', 'x'.repeat(51)],
    ['51 pictures', '📱'.repeat(51)],
    ['a megabyte', 'x'.repeat(2 ** 20)],
    ['a zero byte', 'Ponsel\u0000'],
    ['an escape sequence (A34)', 'Ponsel\u001b[2J'],
    ['a turn of direction', 'Ponsel\u202egnp'],
    ['an invisible letter', 'Pon\u200bsel'],
    ['half a letter', 'Ponsel\ud83d'],
    ['a letter of nobody', 'Ponsel\ue000'],
  ])('%s is refused', (_, typed) => {
    expect(cleanDeviceName(typed)).toBeUndefined();
  });
});
