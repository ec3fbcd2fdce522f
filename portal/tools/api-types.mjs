// schemas/api/openapi.json → TypeScript types: node tools/api-types.mjs ../schemas/api/openapi.json > src/api-types.ts
// Covers the JSON Schema words that document uses; openapi-typescript would bring 60 packages for the same.
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';

const indent = (depth) => '  '.repeat(depth);

function fromEnum(values) {
  return values.map((value) => JSON.stringify(value)).join(' | ');
}

function fromObject(schema, depth) {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const comment = property.description ? `${indent(depth + 1)}/** ${property.description.replaceAll('*/', '')} */\n` : '';
    return `${comment}${indent(depth + 1)}${name}${required.has(name) ? '' : '?'}: ${typeOf(property, depth + 1)};`;
  });
  if (lines.length === 0) return 'Record<string, unknown>';
  return `{\n${lines.join('\n')}\n${indent(depth)}}`;
}

function typeOf(schema, depth = 0) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.enum) return fromEnum(schema.enum);
  if (schema.oneOf) return schema.oneOf.map((one) => typeOf(one, depth)).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, depth)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `Array<${typeOf(schema.items, depth)}>`;
    case 'object':
      return fromObject(schema, depth);
    default:
      return 'unknown';
  }
}

export function generate(document) {
  const types = Object.entries(document.components.schemas).map(([name, schema]) => {
    const comment = schema.description ? `/** ${schema.description.replaceAll('*/', '')} */\n` : '';
    return `${comment}export type ${name} = ${typeOf(schema)};\n`;
  });
  return `// Made by tools/api-types.mjs from schemas/api/openapi.json; do not edit.\n\n${types.join('\n')}`;
}

if (argv[2]) stdout.write(generate(JSON.parse(readFileSync(argv[2], 'utf8'))));
