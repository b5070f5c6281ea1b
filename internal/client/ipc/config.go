package ipc

import (
	"crypto/tls"
	"errors"
	"net/url"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// Config is what the engine is told of the connection, at the login and for the
// tunnel alike. Its Permit is the caller's to give.
func (u Up) Config() (client.Config, error) {
	cfg := client.Config{
		Server: u.Server, Path: u.Path, At: u.At, DTLS: u.DTLS,
		Extensions: []string{openconnect.ExtCoalesce, openconnect.ExtGSO},
	}
	var err error
	if cfg.Trust, err = trust.Of(u.Pins, u.Roots); err != nil {
		return cfg, err
	}
	if u.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(u.Certificate), u.Key.Reveal())
		if err != nil {
			return cfg, errors.New("the certificate and its key do not fit") // the cause may quote the key
		}
		cfg.Certificate = &pair
	}
	if u.Proxy != "" {
		if cfg.Proxy, err = url.Parse(u.Proxy); err != nil || cfg.Proxy.Host == "" {
			return cfg, errors.New("the proxy makes no sense") // the cause may quote a password
		}
	}
	return cfg, nil
}
