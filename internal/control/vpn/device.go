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

// What a device is known by, the surer first. Its own id is what it says of
// itself; a certificate is proven, and another one after renewal. Stock clients
// of desktops say their platform alone: such an entry stands for all of them.
const (
	KnownByID          KnownBy = "id"
	KnownByCertificate KnownBy = "certificate"
	KnownByPlatform    KnownBy = "platform"
)

// Device is a device of an SSL client whose logins need approval. Of what it
// said of itself only a keyed digest is kept, and a label, sealed.
type Device struct {
	ID        string // sdev-...
	State     DeviceState
	KnownBy   KnownBy
	Label     string // platform and model, as the device says
	CreatedAt time.Time
	SeenAt    time.Time // last login that was right but for the approval

	digest string
	sealed []byte
}

const (
	textDeviceWaiting = "This device waits for your administrator's approval. Sign in again once it is approved."
	textDeviceRefused = "Your administrator refuses this device."
)

// device names the device that a login comes from. Nothing is asked of the vault
// for a client whose devices need no approval.
func (l login) device(ctx context.Context, c SSLClient) (d Device, err error) {
	if !c.DeviceApproval {
		return Device{}, nil
	}
	said := l.request.Device
	mark := said.Platform
	switch d.KnownBy = KnownByPlatform; {
	case said.ID != "":
		d.KnownBy, mark = KnownByID, said.ID
	case l.certificate != nil:
		sum := sha256.Sum256(l.certificate.Raw)
		d.KnownBy, mark = KnownByCertificate, string(sum[:])
	}
	d.ID, d.CreatedAt, d.SeenAt, d.State = id.Resource("sdev"), l.now, l.now, DeviceWaiting
	if d.digest, err = l.s.digest(ctx, "device", c.ID, string(d.KnownBy), mark); err != nil {
		return Device{}, err
	}
	label := strings.TrimSpace(said.Platform + " " + said.Model)
	if label == "" {
		label = "?"
	}
	d.sealed, err = l.s.vault.Seal(ctx, deviceRef(c, d.ID), []byte(label))
	return d, err
}

// admitDevice says why a device may not come in, "" if it may. An unknown one is
// noted for the administrator.
func (l login) admitDevice(ctx context.Context, tx *db.Tx, c SSLClient, d Device) (string, error) {
	if !c.DeviceApproval {
		return "", nil
	}
	state, err := db.Get(ctx, tx, ErrDeviceNotFound, db.One[string], "UPDATE vpn_device SET seen_at = $1 WHERE client = $2 AND digest = $3 RETURNING state",
		db.Micros(l.now), c.ID, d.digest)
	switch {
	case errs.IsNotFound(err):
		return textDeviceWaiting, l.noteDevice(ctx, tx, c, d)
	case err != nil:
		return "", err
	case DeviceState(state) == DeviceApproved:
		return "", nil
	case DeviceState(state) == DeviceRefused:
		return textDeviceRefused, nil
	}
	return textDeviceWaiting, nil
}

func (l login) noteDevice(ctx context.Context, tx *db.Tx, c SSLClient, d Device) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM vpn_device WHERE client = $1", c.ID)
	if err != nil || n >= maxDevices {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO vpn_device (id, client, known_by, digest, label_sealed, state, created_at, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING`,
		d.ID, c.ID, string(d.KnownBy), d.digest, d.sealed, string(d.State), db.Micros(l.now))
	if err != nil {
		return err
	}
	return l.s.recordJob(ctx, tx, c.Account, c.Subject, "vpn.device_waiting", map[string]string{"client": c.ID, "device": d.ID})
}

// barred is a form without a field, see noCertificate.
func barred(reason string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Form: &gwlink.Form{ID: "main", Error: reason, Fields: []gwlink.Field{}}}
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

// RefuseDevice keeps a device out for good. Sessions of the client end: which of
// them are the device's is not known.
func (s *Service) RefuseDevice(ctx context.Context, p account.Principal, client, device string) error {
	return s.changeDevice(ctx, p, client, device, "vpn.device_refused", func(tx *db.Tx, c SSLClient) error {
		if err := setDevice(ctx, tx, device, DeviceRefused); err != nil {
			return err
		}
		return s.endClientTx(ctx, tx, c, gwlink.ReasonAdministrator)
	})
}

// RemoveDevice forgets a device: its next login waits for approval. Sessions of
// the client end, as with RefuseDevice.
func (s *Service) RemoveDevice(ctx context.Context, p account.Principal, client, device string) error {
	return s.changeDevice(ctx, p, client, device, "vpn.device_removed", func(tx *db.Tx, c SSLClient) error {
		if _, err := tx.Exec(ctx, "DELETE FROM vpn_device WHERE id = $1", device); err != nil {
			return err
		}
		return s.endClientTx(ctx, tx, c, gwlink.ReasonAdministrator)
	})
}

func setDevice(ctx context.Context, tx *db.Tx, device string, state DeviceState) error {
	_, err := tx.Exec(ctx, "UPDATE vpn_device SET state = $1 WHERE id = $2", string(state), device)
	return err
}

// changeDevice does something to a device. The client's version grows, so that
// a login which has just looked at the device fails.
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
		if _, err := tx.Exec(ctx, "UPDATE vpn_client SET version = version + 1 WHERE id = $1", c.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, p, kind, map[string]string{"client": c.ID, "device": device})
	})
}

func deviceRef(c SSLClient, device string) vault.Ref {
	return vault.Ref{Table: "vpn_device", Column: "label_sealed", Row: device, Subject: c.Subject, Class: retentionClass}
}
