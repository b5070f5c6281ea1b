package vpn

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

const certificateColumns = `SELECT id, account, kind, name, server, client, serial, chain, key_sealed IS NOT NULL, not_after, retire_at, revoked_at,
	version, created_at, updated_at, description FROM vpn_certificate`

func scanCertificate(r db.Row) (c Certificate, err error) {
	var notAfter, retire, revoked, created, updated int64
	var chain []byte
	err = r.Scan(&c.ID, &c.Account, &c.Kind, &c.Name, &c.Server, &c.Client, &c.Serial, &chain, &c.HasKey, &notAfter, &retire, &revoked,
		&c.Version, &created, &updated, &c.Description)
	if err != nil {
		return Certificate{}, err
	}
	c.NotAfter, c.RetireAt, c.RevokedAt = db.FromMicros(notAfter), db.FromMicros(retire), db.FromMicros(revoked)
	c.CreatedAt, c.UpdatedAt = db.FromMicros(created), db.FromMicros(updated)
	c.Chain, err = splitChain(chain)
	return c, err
}

func certificateFor(ctx context.Context, q db.Q, owner account.ID, certificate string) (Certificate, error) {
	return db.Get(ctx, q, ErrCertificateNotFound, scanCertificate, certificateColumns+" WHERE id = $1 AND account = $2", certificate, string(owner))
}

func certificatesFor(ctx context.Context, q db.Q, owner account.ID, f CertificateFilter) ([]Certificate, error) {
	return db.Select(ctx, q, scanCertificate, certificateColumns+` WHERE account = $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR client = $3)
		AND id > $4 ORDER BY id LIMIT $5`, string(owner), string(f.Kind), f.Client, f.Cursor, int64(f.limit()+1))
}

// countUploaded counts what an account has uploaded.
func countUploaded(ctx context.Context, q db.Q, owner account.ID) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_certificate WHERE account = $1 AND kind <> 'client'", string(owner))
}

func certificateNameFree(ctx context.Context, q db.Q, c Certificate) error {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_certificate WHERE account = $1 AND name = $2 AND kind <> 'client' AND id <> $3",
		string(c.Account), c.Name, c.ID)
	if err == nil && n > 0 {
		err = ErrNameDuplicate
	}
	return err
}

// neverWarned is above every number of days that is warned of.
const neverWarned = 99

func insertCertificate(ctx context.Context, tx *db.Tx, c Certificate, subject string, sealedKey []byte) error {
	return tx.ExecOne(ctx, ErrNameDuplicate, `INSERT INTO vpn_certificate (id, account, kind, name, server, client, subject, serial, chain, key_sealed,
		not_after, retire_at, revoked_at, warned, version, created_at, updated_at, description)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, 1, $13, $13, $14) ON CONFLICT DO NOTHING`,
		c.ID, string(c.Account), string(c.Kind), c.Name, c.Server, c.Client, subject, c.Serial, joinChain(c.Chain), blob(sealedKey),
		db.Micros(c.NotAfter), int64(neverWarned), db.Micros(c.CreatedAt), c.Description)
}

// usesOfAccount maps certificates of an account to what uses them.
func usesOfAccount(ctx context.Context, q db.Q, owner account.ID) (map[string][]string, error) {
	type pair struct{ certificate, resource string }
	all, err := db.Select(ctx, q, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.certificate, &p.resource) },
		`SELECT DISTINCT u.certificate, u.resource FROM vpn_certificate_use u JOIN vpn_certificate c ON c.id = u.certificate
		WHERE c.account = $1 ORDER BY u.certificate, u.resource`, string(owner))
	uses := map[string][]string{}
	for _, p := range all {
		uses[p.certificate] = append(uses[p.certificate], p.resource)
	}
	return uses, err
}

func usersOf(ctx context.Context, q db.Q, certificate string) ([]string, error) {
	return db.Select(ctx, q, db.One[string], "SELECT DISTINCT resource FROM vpn_certificate_use WHERE certificate = $1 ORDER BY resource", certificate)
}

// use is one certificate's work for a resource.
type use struct{ certificate, purpose string }

// replaceUses writes what a resource uses, in place of what it used.
func replaceUses(ctx context.Context, tx *db.Tx, resource string, uses []use) error {
	if _, err := tx.Exec(ctx, "DELETE FROM vpn_certificate_use WHERE resource = $1", resource); err != nil {
		return err
	}
	for _, u := range uses {
		_, err := tx.Exec(ctx, "INSERT INTO vpn_certificate_use (certificate, resource, purpose) VALUES ($1, $2, $3)", u.certificate, resource, u.purpose)
		if err != nil {
			return err
		}
	}
	return nil
}

// chainsOf returns the first certificates of what a resource uses for a purpose.
func chainsOf(ctx context.Context, q db.Q, resource, purpose string) ([][]byte, error) {
	all, err := db.Select(ctx, q, db.One[[]byte], `SELECT c.chain FROM vpn_certificate c JOIN vpn_certificate_use u ON u.certificate = c.id
		WHERE u.resource = $1 AND u.purpose = $2 ORDER BY c.id`, resource, purpose)
	if err != nil {
		return nil, err
	}
	var first [][]byte
	for _, joined := range all {
		chain, err := splitChain(joined)
		if err != nil {
			return nil, err
		}
		first = append(first, chain[0])
	}
	return first, nil
}

// claimNames writes the names that an SSL server answers to beside its own.
// ErrNameTaken if another server has one of them.
func claimNames(ctx context.Context, tx *db.Tx, server string, names []string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM vpn_server_alias WHERE server = $1", server); err != nil {
		return err
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		err := tx.ExecOne(ctx, ErrServerNameTaken.With("name", name), "INSERT INTO vpn_server_alias (name, server) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, server)
		if err != nil {
			return err
		}
	}
	return nil
}

// dropCertificates forgets what a deleted server's CA issued and what it used.
func dropCertificates(ctx context.Context, tx *db.Tx, server string) error {
	for _, text := range []string{
		"DELETE FROM vpn_certificate WHERE server = $1 AND kind = 'client'", "DELETE FROM vpn_certificate_use WHERE resource = $1",
		"DELETE FROM vpn_server_alias WHERE server = $1", "DELETE FROM vpn_crl WHERE server = $1",
		"DELETE FROM vpn_block WHERE server = $1",
	} {
		if _, err := tx.Exec(ctx, text, server); err != nil {
			return err
		}
	}
	return nil
}

// stillIssued tells whether a serial is one of a client's that holds.
func stillIssued(ctx context.Context, q db.Q, client, serial string) (bool, error) {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_certificate WHERE client = $1 AND serial = $2 AND revoked_at = 0", client, serial)
	return n > 0, err
}

// revokeIssued revokes one certificate that was issued, if it is not yet: it
// is noted for the nodes and for the revocation list.
func revokeIssued(ctx context.Context, tx *db.Tx, c Certificate, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO vpn_revoked (serial, server, not_after, revoked_at) VALUES ($1, $2, $3, $4) ON CONFLICT (serial) DO NOTHING",
		c.Serial, c.Server, db.Micros(c.NotAfter), db.Micros(now))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE vpn_certificate SET revoked_at = $1, version = version + 1, updated_at = $1 WHERE id = $2 AND revoked_at = 0", db.Micros(now), c.ID)
	if err != nil {
		return err
	}
	return staleCRL(ctx, tx, c.Server)
}

func isRevoked(ctx context.Context, q db.Q, serial string) (bool, error) {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_revoked WHERE serial = $1", serial)
	return n > 0, err
}

// issuedTo lists what was issued to a client and is not revoked, newest first.
func issuedTo(ctx context.Context, q db.Q, client string) ([]Certificate, error) {
	return db.Select(ctx, q, scanCertificate, certificateColumns+" WHERE client = $1 AND revoked_at = 0 ORDER BY created_at DESC, id", client)
}
