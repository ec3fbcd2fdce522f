// Call records against schemas/cdr.json.
import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';

const source = process.env.VMR_SOURCE_ROOT ?? join(fileURLToPath(new URL('.', import.meta.url)), '../../..');
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, formats: { 'date-time': (text) => !Number.isNaN(Date.parse(text)) } });
const validate = ajv.compile(JSON.parse(readFileSync(join(source, 'schemas/cdr.json'), 'utf8')));

export function checkRecord(record) {
  if (!validate(record)) throw new Error(`${JSON.stringify(record)}: ${ajv.errorsText(validate.errors)}`);
}
