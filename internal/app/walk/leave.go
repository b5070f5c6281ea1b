package walk

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// leave closes the account. A kill may cost the session before the answer came;
// then the erasure goes on, and its number is in the mail.
func (w *walker) leave(ctx context.Context) error {
	var begun struct {
		ID string `json:"id"`
	}
	err := w.call(ctx, http.MethodPost, "/account-closure", map[string]string{"user_name": w.user}, &begun)
	w.erasure = begun.ID
	return err
}

// erased waits for the end of the erasure, and finds the certificate and no way in.
func (w *walker) erased(ctx context.Context) error {
	var state struct {
		Step    string `json:"step"`
		Problem string `json:"problem"`
	}
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for state.Step != "done" {
		select {
		case <-ctx.Done():
			return errors.New("the erasure stands at " + state.Step + " " + state.Problem)
		case <-look.C:
		}
		if err := w.call(ctx, http.MethodGet, "/erasures/"+w.erasure, nil, &state); err != nil {
			return err
		}
	}
	var certificate []byte
	if err := w.call(ctx, http.MethodGet, "/erasures/"+w.erasure+"/certificate", nil, &certificate); err != nil {
		return err
	}
	if len(certificate) == 0 {
		return errors.New("the certificate is empty")
	}
	var p *problem
	err := w.call(ctx, http.MethodPost, "/login-sessions", map[string]string{"user_name": w.user, "password": w.password}, nil)
	if !errors.As(err, &p) || p.Status < 400 || p.Status >= 500 {
		return errors.New("an erased person can sign in")
	}
	return nil
}
