package walk

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// server is what the walk remembers of the SSL server.
type server struct {
	ID    string   `json:"id"`
	State string   `json:"state"`
	Pin   string   `json:"pin"`
	Names []string `json:"server_names"`
	Port  int      `json:"port"`
}

// makeServer makes an SSL server and waits until its node has certified it.
func (w *walker) makeServer(ctx context.Context) error {
	r := map[string]any{"gateway": w.gateway, "name": "office-" + w.run, "local_subnets": []string{w.Subnet}, "pool": "10.9.0.0/24"}
	if err := w.call(ctx, http.MethodPost, "/ssl-servers", r, &w.server); err != nil {
		return err
	}
	return w.serverActive(ctx)
}

// passwordOnly lets a password alone suffice from now on.
func (w *walker) passwordOnly(ctx context.Context) error {
	r := map[string]any{"login_mode": "password", "two_factor": false}
	if err := w.call(ctx, http.MethodPatch, "/ssl-servers/"+w.server.ID, r, &w.server); err != nil {
		return err
	}
	w.alone = true
	return w.serverActive(ctx)
}

func (w *walker) serverActive(ctx context.Context) error {
	return wait(ctx, 200*time.Millisecond, func() (bool, error) {
		err := w.call(ctx, http.MethodGet, "/ssl-servers/"+w.server.ID, nil, &w.server)
		if w.server.State == "error" {
			return false, errors.New("the node could not apply the SSL server")
		}
		return w.server.State == "active" && w.server.Pin != "" && len(w.server.Names) > 0, err
	})
}

// makeClient makes an SSL client and reads its generated password and code
// seed.
func (w *walker) makeClient(ctx context.Context) error {
	w.made++
	w.name = fmt.Sprintf("laptop-%s-%d", w.run, w.made)
	var made struct {
		ID string `json:"id"`
	}
	r := map[string]any{"server": w.server.ID, "name": w.name, "two_factor_exempt": w.Redial}
	if err := w.call(ctx, http.MethodPost, "/ssl-clients", r, &made); err != nil {
		return err
	}
	w.client = made.ID
	var secret struct {
		UserName string `json:"user_name"`
		Password string `json:"password"`
		TOTP     string `json:"totp_secret"`
	}
	if err := w.call(ctx, http.MethodPost, "/ssl-clients/"+w.client+"/secret", struct{}{}, &secret); err != nil {
		return err
	}
	if secret.Password == "" || (secret.TOTP == "") != (w.Redial || w.alone) {
		return errors.New("the secret has no password or no code seed")
	}
	w.secret, w.code = secret.Password, secret.TOTP
	return nil
}

// download fetches the client's bundle and unpacks it.
func (w *walker) download(ctx context.Context) error {
	var raw []byte
	if err := w.call(ctx, http.MethodGet, "/ssl-clients/"+w.client+"/bundle", nil, &raw); err != nil {
		return err
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return fmt.Errorf("the bundle is no ZIP file: %w", err)
	}
	for _, want := range []string{"ca.pem", "client.pem", "key.pem"} {
		if err := unpack(z, want, filepath.Join(w.Work, want)); err != nil {
			return err
		}
	}
	return nil
}

func unpack(z *zip.Reader, name, to string) error {
	f, err := z.Open(name)
	if err != nil {
		return fmt.Errorf("the bundle lacks %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// seen waits until the session and its bytes show in the API.
func (w *walker) seen(ctx context.Context) error {
	return wait(ctx, 200*time.Millisecond, func() (bool, error) {
		var sessions struct {
			Items []struct {
				ID        string `json:"id"`
				Client    string `json:"client"`
				Transport string `json:"transport"`
				BytesOut  int64  `json:"bytes_out"`
				EndedAt   string `json:"ended_at"`
			} `json:"items"`
		}
		if err := w.call(ctx, http.MethodGet, "/vpn-sessions", nil, &sessions); err != nil {
			return false, err
		}
		for _, s := range sessions.Items {
			if s.Client == w.client && s.EndedAt == "" && s.BytesOut >= w.Size {
				w.session = s.ID
				return true, nil
			}
		}
		return false, nil
	})
}
