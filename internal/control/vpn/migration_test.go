package vpn_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

// firstOnly is the module's schema as it was before certificates were objects.
func firstOnly(t *testing.T) db.Migrations {
	t.Helper()
	all := vpn.Migrations()
	text, err := fs.ReadFile(all.Files, "00001_vpn.sql")
	must(t, err)
	return db.Migrations{Module: all.Module, Files: fstest.MapFS{"00001_vpn.sql": {Data: text}}}
}

func TestCertificatesOfClientsOfBeforeAreListed(t *testing.T) {
	t.Parallel()
	ca := issue(t, nil, nil, asCA("CA"))
	leaf := issue(t, ca, nil, nil)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, d.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO vpn_client (id, server, gateway, account, subject, name, state, password_hash, totp_step, secret_until, serial,
				certificate, not_after, up_rate, down_rate, fixed_ip, two_factor_exempt, max_sessions, expires_at, version, created_at, updated_at)
				VALUES ('sslcli-abcdefghijklmnop', 'sslsrv-1', 'vpngw-1', $1, 'sub_1', 'old', 'enabled', '', 0, 0, 'ABC', $2, $3, 0, 0, '', 0, 0, 0, 1, 5, 5)`,
				string(alice.Account), leaf.Raw, db.Micros(leaf.NotAfter))
			return err
		}))
		must(t, d.Migrate(ctx, vpn.Migrations()))
		s := newRig(t, d).s
		all, _, err := s.Certificates(ctx, alice.Account, vpn.CertificateFilter{})
		if err != nil || len(all) != 1 {
			t.Fatalf("got %v, %v", all, err)
		}
		if c := all[0]; c.ID != "cert-abcdefghijklmnop" || c.Client != "sslcli-abcdefghijklmnop" || c.Serial != "ABC" || c.Facts().Issuer != "CN=CA" || !c.NotAfter.Equal(leaf.NotAfter) {
			t.Errorf("got %+v", c)
		}
	}, append(sets[:3:3], firstOnly(t))...)
}
