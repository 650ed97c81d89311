/** Registrations to begin with: the safest that each kind of application can be. */
const TEMPLATES = {
  web: {
    client_id: 'nama-aplikasi',
    client_name: 'Nama Aplikasi',
    redirect_uris: ['https://aplikasi.instansi.go.id/callback'],
    post_logout_redirect_uris: ['https://aplikasi.instansi.go.id/'],
    backchannel_logout_uri: 'https://aplikasi.instansi.go.id/backchannel-logout',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://aplikasi.instansi.go.id/jwks.json',
    scope: 'openid profile',
    x: { category: 'Instansi', launch_uri: 'https://aplikasi.instansi.go.id/', allowed_employment: ['PNS', 'PPPK'] },
  },
  browser: {
    client_id: 'nama-aplikasi',
    client_name: 'Nama Aplikasi',
    redirect_uris: ['https://aplikasi.instansi.go.id/callback'],
    post_logout_redirect_uris: ['https://aplikasi.instansi.go.id/'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    dpop_bound_access_tokens: true,
    scope: 'openid profile',
    x: { category: 'Instansi' },
  },
  phone: {
    client_id: 'nama-aplikasi',
    client_name: 'Nama Aplikasi',
    application_type: 'native',
    redirect_uris: ['https://aplikasi.instansi.go.id/app/callback', 'id.go.instansi.aplikasi:/callback'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid profile offline_access',
    x: { category: 'Instansi' },
  },
  service: {
    client_id: 'nama-layanan',
    client_name: 'Nama Layanan',
    redirect_uris: [],
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://layanan.instansi.go.id/jwks.json',
    x: { resources: { 'https://api.instansi.go.id': ['data:read'] } },
  },
} as const;

export type TemplateName = keyof typeof TEMPLATES;

export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as TemplateName[];

/** The text of one; that of a web application for a name that is none. */
export function templateText(name: string | undefined): string {
  const known = TEMPLATE_NAMES.find((each) => each === name) ?? 'web';
  return JSON.stringify(TEMPLATES[known], null, 2);
}
