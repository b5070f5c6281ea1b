package gwlink

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

// Fields classifies every field of the messages: by name, or by message and name
// where a message means something else by it. Categories are those of the data
// map. Addresses, devices and what a person types go to control because it alone
// decides; nothing else of a person is on this link.
var Fields = field.Register{
	"source_ip": "net.ip", "inner": "net.ip", "inner6": "net.ip", "fixed_inner": "net.ip", "fixed_inner6": "net.ip",
	"Device.id": "net.useragent", "platform": "net.useragent", "model": "net.useragent",
	"bytes_in": "net.session", "bytes_out": "net.session", "packets_in": "net.session", "packets_out": "net.session", "client_version": "net.session",
	"LoginRequest.fields": "account.secret", "value": "account.secret",
	"peer_certificate": "cert", "peer_chain": "cert", "serial": "cert", "revoked_serials": "cert",

	"id": field.ID, "certificate": field.ID, "client": field.ID, "gateway": field.ID, "server": field.ID, "session": field.ID, "unknown": field.ID,

	"acl_deny": field.Code, "allow": field.Code, "client_bypass": field.Code, "client_isolation": field.Code, "deny_roaming": field.Code,
	"failed": field.Code, "full_tunnel": field.Code, "keep_seed": field.Code, "kind": field.Code, "large_segments": field.Code, "login_mode": field.Code,
	"outcome": field.Code, "protocol": field.Code, "reason": field.Code, "require_certificate": field.Code, "state": field.Code,
	"tls_max": field.Code, "tls_min": field.Code, "transport": field.Code, "udp": field.Code,

	"cookie_timeout": field.Number, "down_rate": field.Number, "dpd": field.Number, "from": field.Number, "generation": field.Number,
	"idle_timeout": field.Number, "keepalive": field.Number, "max_sessions": field.Number, "mobile_dpd": field.Number, "mobile_idle": field.Number,
	"mtu": field.Number, "notices": field.Number, "port": field.Number, "rekey_time": field.Number, "session_limit": field.Number, "session_timeout": field.Number,
	"to": field.Number, "up_rate": field.Number,

	"at": field.Time, "expires": field.Time, "issued_at": field.Time, "not_after": field.Time, "not_before": field.Time, "pardoned": field.Time,
	"sent": field.Time,

	"banner": field.System, "default_domains": field.System, "destination": field.System, "dns": field.System, "exclude_routes": field.System,
	"group": field.System, "label": field.System, "local_subnets": field.System, "name": field.System, "network": field.System, "node": field.System,
	"pool": field.System, "pool6": field.System, "routes": field.System, "server_names": field.System, "split_dns": field.System,
	"version": field.System,

	"error": field.Text, "message": field.Text, "problem": field.Text, "LoginAnswer.reason": field.Text,

	"chain": field.Key, "client_cas": field.Key, "conversation": field.Key, "csr": field.Key, "grant": field.Key, "issuer": field.Key,
	"public": field.Key, "sealed": field.Key,

	"acl": field.Group, "blocked": field.Group, "clients": field.Group, "closed": field.Group, "closures": field.Group, "device": field.Group,
	"fields": field.Group, "form": field.Group, "gateways": field.Group, "grant_keys": field.Group, "groups": field.Group, "live": field.Group,
	"opened": field.Group, "path": field.Group, "ports": field.Group, "ssl_servers": field.Group,
}

// Classified reports whether a field of a message stands in Fields, and as which
// entry.
func Classified(message, name string) (entry string, ok bool) {
	for _, entry := range []string{message + "." + name, name} {
		if Fields[entry] != "" {
			return entry, true
		}
	}
	return "", false
}

// messages are what is sent, each with all that it holds.
var messages = []reflect.Type{
	reflect.TypeFor[Desired](), reflect.TypeFor[Report](), reflect.TypeFor[Grant](), reflect.TypeFor[LoginRequest](), reflect.TypeFor[LoginAnswer](),
	reflect.TypeFor[KeyRequest](), reflect.TypeFor[KeyAnswer](), reflect.TypeFor[CertificateRequest](), reflect.TypeFor[CertificateAnswer](),
}

// Verify names every field of a message that is not classified, and every entry
// whose class is neither plain nor one of the categories of the data map. The
// start asks it.
func Verify(categories ...string) error {
	wrong := []error{Fields.Verify(categories...)}
	seen := map[reflect.Type]bool{}
	for _, m := range messages {
		wrong = append(wrong, verify(m, seen)...)
	}
	return errors.Join(wrong...)
}

func verify(m reflect.Type, seen map[reflect.Type]bool) (wrong []error) {
	if seen[m] {
		return nil
	}
	seen[m] = true
	for _, f := range reflect.VisibleFields(m) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if _, ok := Classified(m.Name(), name); !ok {
			wrong = append(wrong, fmt.Errorf("message %s: %q: %w", m.Name(), name, field.ErrUnclassified))
		}
		if t := inside(f.Type); t.Kind() == reflect.Struct && t.PkgPath() == m.PkgPath() {
			wrong = append(wrong, verify(t, seen)...)
		}
	}
	return wrong
}

// inside is what a pointer or a list holds.
func inside(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}
