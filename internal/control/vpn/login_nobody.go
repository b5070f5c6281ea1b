package vpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// nobody is whom a login is tried for that no client has: what would be done for
// a client is done for it, so that how long an answer takes tells no names.
var nobody = SSLClient{ID: "sslcli-nobody", Subject: "sub_vpn_nobody", Token: TokenStoken}

// matchNobody does what matchCode does for a client with a software token.
func (l login) matchNobody(ctx context.Context, code string) error {
	sealed, err := l.s.nobodysToken(ctx)
	if err != nil {
		return err
	}
	if _, err := sealedOf(ctx, l.s.db, nobody.ID); !errs.IsNotFound(err) {
		return err
	}
	plain, err := l.s.openSealed(ctx, loginReader, nobody, map[string][]byte{"totp_sealed": sealed}, "totp_sealed")
	if err != nil {
		return err
	}
	_, _, err = nobody.match(string(plain["totp_sealed"]), code, l.now)
	return err
}

// nobodysToken is made anew by each process. No code of it opens anything.
func (s *Service) nobodysToken(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nobodys == nil {
		sealed, err := s.seal(ctx, nobody, "totp_sealed", []byte(newToken(nobody)))
		if err != nil {
			return nil, err
		}
		s.nobodys = sealed
	}
	return s.nobodys, nil
}
