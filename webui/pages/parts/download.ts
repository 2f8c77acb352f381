/** Hands a file that was fetched to the browser's downloads. */
export async function download(response: Response, name: string): Promise<void> {
  const given = /filename="?([\w.-]+)"?/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = given ?? name;
  link.click();
  // The download has its own hold on the bytes by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
