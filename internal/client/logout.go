package client

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// goodbye is the payload of the DISCONNECT by which the person ends a session.
var goodbye = openconnect.Disconnect{HasReason: true, Reason: openconnect.ReasonUser, Text: "Disconnected by the user."}.AppendTo(nil)

// Logout ends a session that no Link of this process has, so that its cookie is
// worth nothing any more. The only way that all servers know is to connect and
// disconnect. A session that is no more is no error.
func Logout(ctx context.Context, cfg Config, cookie openconnect.Secret) error {
	cfg.DTLS = false
	c, err := dial(ctx, cfg, netip.AddrPort{})
	if err != nil {
		return err
	}
	defer c.close()
	_, err = c.connect(ctx, cookie, Past{})
	var refused *RefusedError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		return nil
	case err != nil:
		return err
	}
	_, err = c.tls.Write(openconnect.AppendFrame(nil, openconnect.TypeDisconnect, goodbye))
	return err
}
