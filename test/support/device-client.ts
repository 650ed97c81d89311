import { DEVICE_GRANT } from '#src/clients/client-schema.js';
import type { Answer, Visitor } from './visitor.js';

/** A client without a browser of its own (RFC 8628), as it stands in a clients file. */
export const SCREEN = {
  client_id: 'layar-rapat',
  client_name: 'Layar Rapat',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [DEVICE_GRANT, 'refresh_token'],
  x: { claims: ['name', 'nip', 'agency'] },
};

/** What the provider tells a device that begins. */
export interface DeviceStart {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

/** `channel`: the device's own connection. */
export async function startDevice(
  channel: Visitor,
  { clientId = SCREEN.client_id, scope = 'openid profile asn', more = {} } = {},
): Promise<DeviceStart> {
  const answer = await channel.ask('/oidc/device', { form: { client_id: clientId, scope, ...more } });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
  return JSON.parse(answer.body) as DeviceStart;
}

export const askAsDevice = (
  channel: Visitor,
  deviceCode: string,
  { clientId = SCREEN.client_id, port }: { clientId?: string; port?: number } = {},
): Promise<Answer> =>
  channel.ask('/oidc/token', {
    form: { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: clientId },
    ...(port === undefined ? {} : { port }),
  });
