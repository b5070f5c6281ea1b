package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

const (
	maxAnswer   = 64 << 20 // of control; a node with thousands of servers
	callLimit   = 20 * time.Second
	pollLimit   = 40 * time.Second // control waits up to 25 s
	errorLength = 200
)

// control speaks gwlink with the control plane.
type control struct {
	base   string
	client *http.Client
}

func newControl(cfg Config) (*control, error) {
	t := &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}
	if strings.HasPrefix(cfg.Control, "https://") {
		conf, err := clientTLS(cfg)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = conf
		return &control{base: strings.TrimSuffix(cfg.Control, "/"), client: &http.Client{Transport: t}}, nil
	}
	if strings.Contains(cfg.Control, "://") {
		return nil, fmt.Errorf("agent: control %q is neither a socket path nor an https URL", cfg.Control)
	}
	t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", cfg.Control)
	}
	return &control{base: "http://control", client: &http.Client{Transport: t}}, nil
}

func clientTLS(cfg Config) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("agent: node certificate: %w", err)
	}
	pem, err := os.ReadFile(cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("agent: control's issuer: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("agent: no certificate in %s", cfg.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, RootCAs: roots}, nil
}

func (c *control) desired(ctx context.Context, after uint64) (gwlink.Desired, error) {
	ctx, cancel := context.WithTimeout(ctx, pollLimit)
	defer cancel()
	var d gwlink.Desired
	err := c.call(ctx, http.MethodGet, gwlink.PathDesired+"?after="+strconv.FormatUint(after, 10), nil, &d)
	return d, err
}

// Login implements sslvpn.Authenticator.
func (c *control) Login(ctx context.Context, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	var a gwlink.LoginAnswer
	err := c.post(ctx, gwlink.PathLogin, r, &a)
	return a, err
}

func (c *control) report(ctx context.Context, r gwlink.Report) error {
	return c.post(ctx, gwlink.PathReport, r, nil)
}

func (c *control) certificate(ctx context.Context, r gwlink.CertificateRequest) ([][]byte, error) {
	var a gwlink.CertificateAnswer
	err := c.post(ctx, gwlink.PathCertificate, r, &a)
	return a.Chain, err
}

func (c *control) deliverKey(ctx context.Context, r gwlink.KeyRequest) (gwlink.KeyAnswer, error) {
	var a gwlink.KeyAnswer
	err := c.post(ctx, gwlink.PathKey, r, &a)
	return a, err
}

func (c *control) post(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encoding for %s: %w", path, err)
	}
	return c.call(ctx, http.MethodPost, path, body, out)
}

func (c *control) call(ctx context.Context, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling %s: %w", path, err)
	}
	req.Header.Set(gwlink.VersionHeader, strconv.Itoa(gwlink.Version))
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("calling control: %w", err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNoContent && method == http.MethodGet:
		return errUnchanged
	case resp.StatusCode == http.StatusUpgradeRequired:
		return errors.New("control does not know this node's version of gwlink")
	case resp.StatusCode/100 != 2:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, errorLength))
		return fmt.Errorf("control answered %s with %d: %q", path, resp.StatusCode, text)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	return wrap("decoding "+path, json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out))
}
