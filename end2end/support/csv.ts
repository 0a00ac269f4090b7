// Reads CSV as RFC 4180 writes it, into one object a row.
export function parseCsv(text: string): Record<string, string>[] {
  const records: string[][] = [[""]];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const record = records[records.length - 1]!;
    const last = record.length - 1;
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') record[last] += c;
      else if (text[i + 1] === '"') record[last] += text[++i];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ",") record.push("");
    else if (c === "\n") records.push([""]);
    else if (c !== "\r" && c !== "\uFEFF") record[last] += c;
  }
  const [header, ...rows] = records.filter((record) => record.length > 1 || record[0] !== "");
  return rows.map((row) => Object.fromEntries(header!.map((name, i) => [name, row[i] ?? ""])));
}
