package vpn

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// maxDevices is how many devices of one client are kept: further ones are
// refused without being noted.
const maxDevices = 20

// DeviceState is what the administrator has said of a device.
type DeviceState string

// States of a device.
//
//	waiting ─▶ approved ⇄ refused; removed: unknown again
const (
	DeviceWaiting  DeviceState = "waiting"
	DeviceApproved DeviceState = "approved"
	DeviceRefused  DeviceState = "refused"
)

// KnownBy is what tells one device from another.
type KnownBy string

// What a device is known by, the one that tells most apart first; what that is
// worth: docs/decisions/0021-devices.md.
const (
	KnownByID          KnownBy = "id"          // what it says of itself
	KnownByCertificate KnownBy = "certificate" // proven; another one after renewal
	KnownByPlatform    KnownBy = "platform"    // stands for all devices of that platform
)

// Device is a device of an SSL client whose logins need approval. Of what it
// said of itself only a keyed digest is kept, and a label, sealed.
type Device struct {
	ID        string // sdev-...
	State     DeviceState
	KnownBy   KnownBy
	Label     string // platform and model, as the device says; may be empty
	CreatedAt time.Time
	SeenAt    time.Time // last login that was right but for the approval

	digest string
	sealed []byte
}

const (
	textDeviceWaiting = "This device waits for your administrator's approval. Sign in again once it is approved."
	textDeviceRefused = "Your administrator refuses this device."
	textDevicesMany   = "Too many devices have signed in. Ask your administrator to remove one."
)

// device names the device that a login comes from. Nothing is asked of the vault
// for a client whose devices need no approval.
func (l login) device(ctx context.Context, c SSLClient) (d Device, err error) {
	if !c.DeviceApproval {
		return Device{}, nil
	}
	known, mark := l.knownBy()
	d = Device{ID: id.Resource("sdev"), State: DeviceWaiting, KnownBy: known}
	if d.digest, err = l.s.digest(ctx, "device", c.ID, string(known), mark); err != nil {
		return Device{}, err
	}
	said := l.request.Device
	d.sealed, err = l.s.vault.Seal(ctx, deviceRef(c, d.ID), []byte(strings.TrimSpace(said.Platform+" "+said.Model)))
	return d, err
}

// knownBy is what a device is known by, and that itself.
func (l login) knownBy() (by KnownBy, mark string) {
	said := l.request.Device
	switch {
	case tellsApart(said.ID):
		return KnownByID, said.ID
	case l.certificate != nil:
		sum := sha256.Sum256(l.certificate.Raw)
		return KnownByCertificate, string(sum[:])
	}
	return KnownByPlatform, said.Platform
}

// tellsApart reports whether an id may be one device's own. openconnect says 40
// times "A" for all that it runs on as a phone.
func tellsApart(id string) bool { return id != "" && strings.Trim(id, id[:1]) != "" }

// admitDevice returns the device that may come in, or says why it may not. An
// unknown one is noted for the administrator.
func (l login) admitDevice(ctx context.Context, tx *db.Tx, c SSLClient, d Device) (known, refusal string, err error) {
	if !c.DeviceApproval {
		return "", "", nil
	}
	was, err := db.Get(ctx, tx, ErrDeviceNotFound, func(r db.Row) (was Device, err error) { return was, r.Scan(&was.ID, &was.State) },
		"UPDATE vpn_device SET seen_at = $1 WHERE client = $2 AND digest = $3 RETURNING id, state", db.Micros(l.now), c.ID, d.digest)
	switch {
	case errs.IsNotFound(err):
		refusal, err = l.noteDevice(ctx, tx, c, d)
		return "", refusal, err
	case err != nil:
		return "", "", err
	case was.State == DeviceApproved:
		return was.ID, "", nil
	case was.State == DeviceRefused:
		return "", textDeviceRefused, nil
	}
	return "", textDeviceWaiting, nil
}

func (l login) noteDevice(ctx context.Context, tx *db.Tx, c SSLClient, d Device) (refusal string, err error) {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM vpn_device WHERE client = $1", c.ID)
	if err != nil || n >= maxDevices {
		return textDevicesMany, err
	}
	err = tx.ExecOne(ctx, db.ErrRetry, `INSERT INTO vpn_device (id, client, known_by, digest, label_sealed, state, created_at, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING`,
		d.ID, c.ID, string(d.KnownBy), d.digest, d.sealed, string(d.State), db.Micros(l.now))
	if err != nil {
		return "", err
	}
	return textDeviceWaiting, l.s.recordJob(ctx, tx, c.Account, c.Subject, "vpn.device_waiting", map[string]string{"client": c.ID, "device": d.ID})
}

// Devices lists a client's devices, those that wait first. The reading of what
// they say of themselves is recorded.
func (s *Service) Devices(ctx context.Context, p account.Principal, client string) ([]Device, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, s.db, scanDevice, `SELECT id, known_by, label_sealed, state, created_at, seen_at FROM vpn_device WHERE client = $1
		ORDER BY CASE WHEN state = 'waiting' THEN 0 ELSE 1 END, created_at, id`, c.ID)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ticket, err := s.vault.Begin(ctx, vault.Read{
		Reader: readerOf(p), Subject: c.Subject, Fields: []string{"vpn_device.label_sealed"}, Purpose: accessPurpose, Reason: "vpn",
	})
	if err != nil {
		return nil, err
	}
	for i := range all {
		plain, err := s.vault.Open(ctx, ticket, deviceRef(c, all[i].ID), all[i].sealed)
		if err != nil {
			return nil, err
		}
		all[i].Label = string(plain)
	}
	return all, nil
}

func scanDevice(r db.Row) (d Device, err error) {
	var created, seen int64
	err = r.Scan(&d.ID, &d.KnownBy, &d.sealed, &d.State, &created, &seen)
	d.CreatedAt, d.SeenAt = db.FromMicros(created), db.FromMicros(seen)
	return d, err
}

// ApproveDevice lets a device in from now on.
func (s *Service) ApproveDevice(ctx context.Context, p account.Principal, client, device string) error {
	return s.changeDevice(ctx, p, client, device, "vpn.device_approved", func(tx *db.Tx, _ SSLClient) error {
		return setDevice(ctx, tx, device, DeviceApproved)
	})
}

// RefuseDevice keeps a device out until it is approved or removed, and ends its
// sessions.
func (s *Service) RefuseDevice(ctx context.Context, p account.Principal, client, device string) error {
	return s.changeDevice(ctx, p, client, device, "vpn.device_refused", func(tx *db.Tx, c SSLClient) error {
		if err := setDevice(ctx, tx, device, DeviceRefused); err != nil {
			return err
		}
		return s.endDeviceTx(ctx, tx, c, device)
	})
}

// RemoveDevice forgets a device, whose next login waits for approval, and ends
// its sessions.
func (s *Service) RemoveDevice(ctx context.Context, p account.Principal, client, device string) error {
	return s.changeDevice(ctx, p, client, device, "vpn.device_removed", func(tx *db.Tx, c SSLClient) error {
		if _, err := tx.Exec(ctx, "DELETE FROM vpn_device WHERE id = $1", device); err != nil {
			return err
		}
		return s.endDeviceTx(ctx, tx, c, device)
	})
}

// endDeviceTx ends sessions of a device, and those from before approval was
// asked for, which may be its as well.
func (s *Service) endDeviceTx(ctx context.Context, tx *db.Tx, c SSLClient, device string) error {
	return s.endTx(ctx, tx, c.Gateway, gwlink.ReasonAdministrator,
		"SELECT session FROM vpn_grant WHERE client = $1 AND device IN ($2, '') ORDER BY session", c.ID, device)
}

func setDevice(ctx context.Context, tx *db.Tx, device string, state DeviceState) error {
	_, err := tx.Exec(ctx, "UPDATE vpn_device SET state = $1 WHERE id = $2", string(state), device)
	return err
}

func (s *Service) changeDevice(ctx context.Context, p account.Principal, client, device, kind string, do func(*db.Tx, SSLClient) error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		if _, err := db.Get(ctx, tx, ErrDeviceNotFound, db.One[string], "SELECT id FROM vpn_device WHERE id = $1 AND client = $2", device, c.ID); err != nil {
			return err
		}
		if err := do(tx, c); err != nil {
			return err
		}
		return s.record(ctx, tx, p, kind, map[string]string{"client": c.ID, "device": device})
	})
}

func deviceRef(c SSLClient, device string) vault.Ref {
	return vault.Ref{Table: "vpn_device", Column: "label_sealed", Row: device, Subject: c.Subject, Class: retentionClass}
}
