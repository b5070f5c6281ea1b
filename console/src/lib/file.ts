// Files that a person gives or gets, by way of the API's base64.

/** The bytes of a file in base64, and their SHA-256 in hexadecimal digits. */
export async function readFile(file: Blob): Promise<{ content: string; sha256: string }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const sha256 = [...digest].map((b) => b.toString(16).padStart(2, '0')).join('');
  let text = '';
  for (const b of bytes) text += String.fromCharCode(b);
  return { content: btoa(text), sha256 };
}

/** Saves what the API gave in base64 as a file. */
export function saveFile(name: string, content: string) {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
