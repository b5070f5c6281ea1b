// CSV for spreadsheets: RFC 4180 with a byte order mark, and cells that a spreadsheet would run as
// a formula made harmless with a leading apostrophe.

// Full-width signs count too: spreadsheets of East Asian languages take them for the narrow ones.
const formula = /^[=+\-@\t\r\n＝＋－＠]/;

function cell(value: unknown): string {
  const raw = value === undefined || value === null ? '' : String(value);
  const safe = formula.test(raw) && Number.isNaN(Number(raw)) ? `'${raw}` : raw;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCSV(header: string[], rows: unknown[][]): string {
  return '\uFEFF' + [header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** Hands a file to the browser without a request. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the content by the next turn.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

/**
 * The text of a table as spreadsheets save it: UTF-8, UTF-16 with a mark, or what Windows calls ANSI in
 * Chinese, which is GBK. Valid UTF-8 is taken for such; text in GBK practically never is.
 */
export function decodeTable(bytes: ArrayBuffer): string {
  const [a, b] = new Uint8Array(bytes);
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}
