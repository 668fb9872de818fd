"""The kinds of nginx.conf.sigil that public apps carry, each in a template of our own that shows its point.

Each has the requests that tell whether it does what its author wanted: path, or path and headers.
"""

from typing import NamedTuple

PASS = "proxy_pass http://{{ .APP }}; proxy_set_header Host $http_host;"
NAMES = "listen {{ .PROXY_PORT }}; server_name {{ .NOSSL_SERVER_NAME }};"
APP = "location / { " + PASS + " }"
UPSTREAM = (
    'upstream {{ .APP }} {\n{{ range .DOKKU_APP_LISTENERS | split " " }}  server {{ . }};\n{{ end }}}\n'
)

Request = str | tuple[str, dict[str, str]]


class Kind(NamedTuple):
    template: str
    requests: tuple[Request, ...] = ("/", "/a/b?c=d")


def kind(body: str, *requests: Request, top: str = "") -> Kind:
    """A template with one server around a body."""
    return Kind(f"{top}\n{UPSTREAM}server {{\n  {NAMES}\n{body}\n}}\n", requests or ("/", "/a/b?c=d"))


STOCK = """
{{ range $port_map := .PROXY_PORT_MAP | split " " }}
{{ $part := $port_map | split ":" }}
{{ $scheme := index $part 0 }}{{ $listen := index $part 1 }}{{ $upstream := index $part 2 }}
{{ if eq $scheme "http" }}
server {
  listen [{{ $.NGINX_BIND_ADDRESS_IP6 }}]:{{ $listen }};
  listen {{ if $.NGINX_BIND_ADDRESS_IP4 }}{{ $.NGINX_BIND_ADDRESS_IP4 }}:{{ end }}{{ $listen }};
  {{ if $.NOSSL_SERVER_NAME }}server_name {{ $.NOSSL_SERVER_NAME }}; {{ end }}
  access_log {{ $.NGINX_ACCESS_LOG_PATH }}
    {{ if $.NGINX_ACCESS_LOG_FORMAT }} {{ $.NGINX_ACCESS_LOG_FORMAT }}{{ end }};
  error_log {{ $.NGINX_ERROR_LOG_PATH }};
{{ if (and (eq $listen "80") ($.SSL_INUSE)) }}
  return 301 https://$host:{{ $.PROXY_SSL_PORT }}$request_uri;
{{ else }}
  location    / {
    gzip on; gzip_min_length 1100; gzip_buffers 4 32k; gzip_types text/css text/plain; gzip_vary on;
    proxy_pass http://{{ $.APP }}-{{ $upstream }};
    {{ if eq $.HTTP2_PUSH_SUPPORTED "true" }}http2_push_preload on; {{ end }}
    proxy_http_version 1.1;
    proxy_read_timeout {{ $.PROXY_READ_TIMEOUT }};
    proxy_buffer_size {{ $.PROXY_BUFFER_SIZE }};
    proxy_buffering {{ $.PROXY_BUFFERING }};
    proxy_buffers {{ $.PROXY_BUFFERS }};
    proxy_busy_buffers_size {{ $.PROXY_BUSY_BUFFERS_SIZE }};
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For {{ $.PROXY_X_FORWARDED_FOR }};
    proxy_set_header X-Request-Start $msec;
  }
  {{ if $.CLIENT_MAX_BODY_SIZE }}client_max_body_size {{ $.CLIENT_MAX_BODY_SIZE }};{{ end }}
  include {{ $.DOKKU_ROOT }}/{{ $.APP }}/nginx.conf.d/*.conf;
  error_page 404 /404-error.html;
  location /404-error.html { root {{ $.DOKKU_LIB_ROOT }}/data/nginx-vhosts/dokku-errors; internal; }
{{ end }}
}
{{ end }}{{ end }}
{{ if $.DOKKU_APP_WEB_LISTENERS }}{{ range $upstream := $.PROXY_UPSTREAM_PORTS | split " " }}
upstream {{ $.APP }}-{{ $upstream }} {
{{ range $listener := $.DOKKU_APP_WEB_LISTENERS | split " " }}
  server {{ index ($listener | split ":") 0 }}:{{ $upstream }};{{ end }}
}
{{ end }}{{ end }}
"""
CORS = (
    """location / {
  if ($request_method = OPTIONS) {
    add_header Access-Control-Allow-Origin '*';
    add_header Access-Control-Allow-Methods "GET, POST, OPTIONS";
    add_header Content-Length 0;
    return 204;
  }
  add_header 'Access-Control-Allow-Origin' "$http_origin" always; """
    + PASS
    + " }"
)
PUBLIC = "{{ .DOKKU_ROOT }}/{{ .APP }}/public"
STORED = "{{ .DOKKU_LIB_ROOT }}/data/storage/{{ .APP }}"
AGENT = "User-Agent"

KINDS = {
    "the stock template": Kind(STOCK),
    "the oldest template": kind(APP + " include {{ .DOKKU_ROOT }}/{{ .APP }}/nginx.conf.d/*.conf;"),
    "a header of its own": kind("add_header X-Served-By www-1; " + APP),
    "websockets": kind(
        "location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
        " proxy_set_header X-Connection $connection_upgrade; " + PASS + " }",
        "/",
        ("/", {"Upgrade": "websocket"}),
        top="map $http_upgrade $connection_upgrade {\n default upgrade;\n '' close;\n}",
    ),
    "compression": kind(
        "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types text/plain application/json;"
        ' gzip_disable "MSIE [1-6]\\.(?!.*SV1)"; ' + APP,
        ("/", {"Accept-Encoding": "gzip"}),
        ("/", {"Accept-Encoding": "gzip", AGENT: "MSIE 6.0"}),
    ),
    "sizes and timeouts": kind(
        "client_max_body_size 99M; client_body_timeout 60s; keepalive_timeout 70; send_timeout 600;"
        " proxy_connect_timeout 600; proxy_read_timeout 300; large_client_header_buffers 4 32k; " + APP
    ),
    "a cache": kind(
        "location / { proxy_cache pages; proxy_cache_valid 200 10m; "
        "proxy_cache_use_stale error timeout updating"
        " http_500; proxy_cache_lock on; add_header X-Cache $upstream_cache_status; " + PASS + " }",
        "/x",
        "/x",
        "/y",
        top="proxy_cache_path /tmp/pages levels=1:2 keys_zone=pages:5m max_size=100m inactive=30m"
        " use_temp_path=off;",
    ),
    "a limit of requests": kind(
        "location /limited { limit_req zone=one burst=1 nodelay; limit_req_status 429; " + PASS + " } " + APP,
        "/limited",
        "/limited",
        "/limited",
        "/free",
        top="limit_req_zone $binary_remote_addr zone=one:10m rate=1r/m;",
    ),
    "a limit of connections": kind(
        "limit_conn per_address 10; " + APP, top="limit_conn_zone $binary_remote_addr zone=per_address:10m;"
    ),
    "a password": kind(
        'location / { auth_basic "Members"; auth_basic_user_file {{ .DOKKU_ROOT }}/{{ .APP }}/htpasswd; '
        + PASS
        + " }",
        "/",
        ("/", {"Authorization": "Basic YW5uOnNlY3JldA=="}),
        ("/", {"Authorization": "Basic YW5uOndyb25n"}),
    ),
    "static files": kind(
        "location ~* \\.(?:css|js|txt)$ { root " + PUBLIC + "; expires 30d; access_log off;"
        ' add_header Cache-Control "public"; } ' + APP,
        "/page.txt",
        "/absent.css",
        "/",
    ),
    "uploads": kind(
        "location /media/ { alias " + STORED + "/; autoindex on; } " + APP, "/media/up.txt", "/media/"
    ),
    "a single page": kind(
        "root " + PUBLIC + "; index index.html; location / { try_files $uri $uri/ /index.html; }"
        " location /api/ { " + PASS + " }",
        "/",
        "/page.txt",
        "/some/where?x=1",
        "/api/x",
    ),
    "a redirect to one name": Kind(
        UPSTREAM + "server { listen {{ .PROXY_PORT }}; server_name www.a.test; "
        "return 301 $scheme://a.test$request_uri; }\n"
        + "server { listen {{ .PROXY_PORT }}; server_name a.test; "
        + APP
        + " }",
        ("/x?y", ("/x?y", {"Host": "www.a.test"})),
    ),
    "a redirect to https": kind(
        "if ($http_x_forwarded_proto = 'http') { return 301 https://$host$request_uri; } " + APP,
        "/x",
        ("/x", {"X-Forwarded-Proto": "http"}),
        ("/x", {"X-Forwarded-Proto": "https"}),
    ),
    "cross-origin requests": kind(CORS, ("/", {"Origin": "http://b.test"}), ("OPTIONS /", {})),
    "maintenance": kind(
        "root " + PUBLIC + "; if (-f $document_root/closed.html) { return 503; } error_page 503 @closed;"
        " location @closed { rewrite ^ /closed.html break; } " + APP,
        "/",
        "/a",
    ),
    "error pages of its own": kind(
        "error_page 404 = @missing; proxy_intercept_errors on; "
        "location @missing { return 404 'nothing here'; }"
        " location /gone { return 404; } " + APP,
        "/gone",
        "/",
    ),
    "addresses behind a balancer": kind(
        "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; real_ip_recursive on;"
        " location / { proxy_set_header X-Real-IP $remote_addr; " + PASS + " }",
        ("/", {"X-Forwarded-For": "10.1.2.3"}),
    ),
    "some addresses only": kind(
        "location /admin { satisfy any; allow 10.0.0.0/8; deny all; " + PASS + " } " + APP, "/admin", "/"
    ),
    "a prefix taken away": kind(
        "location /api/ { rewrite ^/api/(.*)$ /$1 break; " + PASS + " } " + APP,
        "/api/x?y=z",
        "/api",
        "/other",
    ),
    "old pages elsewhere": kind(
        'if ($new) { return 301 $new; } rewrite "^/(.*)-[0-9a-f]{4}$" /$1 permanent; ' + APP,
        "/old",
        "/old/x",
        "/post-12ab",
        top="map $uri $new { default ''; /old /new; ~^/old/(?<rest>.+)$ /new/$rest; }",
    ),
    "addresses told apart": kind(
        "location / { proxy_set_header X-Inside $inside; " + PASS + " }",
        top="geo $inside { default 0; 127.0.0.0/8 1; }",
    ),
    "a trial with some": kind(
        "add_header X-Variant $variant; " + APP,
        top='split_clients "${remote_addr}" $variant { 100% .b; * ""; }',
    ),
    "a log of its own": kind(
        "access_log {{ .NGINX_LOG_ROOT }}/{{ .APP }}-access.log fields if=$worth; error_log off; " + APP,
        top='log_format fields escape=json \'{"uri":"$uri","host":"$host"}\';\n'
        "map $status $worth { ~^[23] 0; default 1; }",
    ),
    "a pool": Kind(
        'upstream backend { ip_hash; keepalive 16; {{ range .DOKKU_APP_WEB_LISTENERS | split " " }}'
        "server {{ . }} max_fails=3 fail_timeout=5s;{{ end }} }\n"
        f"server {{ {NAMES} location / {{ proxy_pass http://backend/pre/; proxy_set_header Host $host;"
        " proxy_http_version 1.1; proxy_set_header Connection ''; } }"
    ),
    "headers for safety": kind(
        'add_header X-Frame-Options "SAMEORIGIN" always; '
        "add_header Content-Security-Policy \"default-src 'self'"
        " data: 'unsafe-inline'; img-src *\" always; server_tokens off; proxy_hide_header X-Backend; "
        'proxy_cookie_path / "/; HttpOnly; SameSite=strict"; ' + APP
    ),
    "words replaced": kind(
        "location / { sub_filter 'GET' \"<b>'got'</b>\"; sub_filter_once off; sub_filter_types *; "
        + PASS
        + " }"
    ),
    "asking first": kind(
        "location / { auth_request /may; auth_request_set $who $upstream_http_x_backend;"
        " proxy_set_header X-Who $who; " + PASS + " }"
        " location = /may { internal; proxy_pass_request_body off; proxy_set_header Content-Length '';"
        " proxy_pass http://{{ .APP }}/auth; }",
    ),
    "a text of its own": kind(
        'location = /robots.txt { default_type text/plain; return 200 "User-agent: *\\nDisallow: /\\n"; } '
        + APP,
        "/robots.txt",
    ),
    "parts of the path": kind(
        "location ~ '^/u/(?<user>[a-z]+)/(?P<page>\\d{1,3})$' { proxy_set_header X-User \"${user}_$page\"; "
        + PASS
        + " } "
        + APP,
        "/u/ann/12",
        "/u/ann/1234",
    ),
    "unwanted visitors": kind(
        'if ($http_user_agent ~* "(badbot|scrapy)") { return 403; '
        "} if ($host !~* ^(www\\.|)a\\.test$) { return 444; } " + APP,
        ("/", {AGENT: "BadBot/1"}),
        ("/", {AGENT: "curl"}),
    ),
    "some methods only": kind(
        "location / { limit_except GET { deny all; } " + PASS + " }", "/", ("OPTIONS /", {}), ("DELETE /", {})
    ),
    "events": kind(
        "location /events { proxy_buffering off; proxy_cache off; chunked_transfer_encoding off;"
        " proxy_set_header Connection ''; proxy_http_version 1.1; proxy_read_timeout 24h; "
        + PASS
        + " } "
        + APP,
        "/events",
    ),
    "files behind the app": kind(
        "location /kept/ { internal; alias " + STORED + "/; } location / { " + PASS + " }",
        "/kept/up.txt",
        "/",
    ),
    "a variable request": kind(
        "set $backend_path /v1; location /p { set $args $args&added=1;"
        " proxy_pass http://{{ .APP }}$request_uri; proxy_set_header Host $host; "
        "proxy_set_header X-Path ${backend_path}x; } " + APP,
        "/p?a=b",
    ),
    "remote calls": Kind(
        '{{ $p := index (.PROXY_UPSTREAM_PORTS | split " ") 1 }}'
        "upstream {{ .APP }}-{{ $p }} { server 127.0.0.1:{{ $p }}; }\n"
        f"server {{ {NAMES} location / {{ grpc_pass grpc://{{{{ .APP }}}}-{{{{ $p }}}}; "
        f"grpc_set_header X-Start $msec;"
        " grpc_read_timeout 60s; } }"
    ),
}
SECURE = Kind(
    UPSTREAM
    + """server {
  listen {{ .PROXY_PORT }};
  server_name {{ .NOSSL_SERVER_NAME }};
  return 301 https://$host:{{ .PROXY_SSL_PORT }}$request_uri;
}
server {
  listen {{ .PROXY_SSL_PORT }} ssl http2;
  {{ if .SSL_SERVER_NAME }}server_name {{ .SSL_SERVER_NAME }}; {{ end }}
  ssl_certificate {{ .APP_SSL_PATH }}/server.crt;
  ssl_certificate_key {{ .APP_SSL_PATH }}/server.key;
  ssl_protocols TLSv1.2 {{ if eq $.TLS13_SUPPORTED "true" }}TLSv1.3{{ end }};
  ssl_ciphers "ECDHE+AESGCM:!aNULL"; ssl_prefer_server_ciphers on; ssl_session_cache shared:SSL:10m;
  ssl_session_timeout 1d; ssl_session_tickets off; keepalive_timeout 70;
  add_header Strict-Transport-Security "{{ .HSTS_HEADERS }}";
"""
    + APP
    + "\n}\n"
)
