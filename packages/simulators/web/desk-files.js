// @ts-check

const chunkBytes = 32_768;

/**
 * A chosen file as the control API takes it, its content as base64.
 * @param {File} file
 * @returns {Promise<{ name: string, type?: string, content: string }>}
 */
export async function readFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    binary += String.fromCharCode(...bytes.subarray(start, start + chunkBytes));
  }
  return { name: file.name, ...(file.type ? { type: file.type } : {}), content: btoa(binary) };
}
