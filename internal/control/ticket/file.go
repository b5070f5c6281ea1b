package ticket

import (
	"bytes"
	"context"
	"image"
	_ "image/gif" // decoders of what is drawn again
	"image/jpeg"
	"image/png"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

const (
	maxPixels = 24_000_000 // a picture of more is not drawn: its bytes say little of what it takes
	plainText = "text/plain"
	anyBytes  = "application/octet-stream"
)

// sniff says what bytes are, and returns them as they are kept. A picture is drawn
// again: what was hidden behind it or told of it (place, device) is gone. Text
// stays as it is. Anything else is quarantined. ErrFile.
func sniff(content []byte) (kept []byte, media string, quarantined bool, err error) {
	if len(content) == 0 || len(content) > MaxFile {
		return nil, "", false, ErrFile
	}
	if head, format, err := image.DecodeConfig(bytes.NewReader(content)); err == nil {
		if head.Width <= 0 || head.Height <= 0 || head.Width*head.Height > maxPixels || head.Width > maxPixels || head.Height > maxPixels {
			return nil, "", false, ErrFile
		}
		return draw(content, format)
	}
	if utf8.Valid(content) && !bytes.ContainsFunc(content, control) {
		return content, plainText, false, nil
	}
	return content, anyBytes, true, nil
}

// control reports a character that no text has.
func control(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", r) || r == utf8.RuneError
}

func draw(content []byte, format string) (kept []byte, media string, quarantined bool, err error) {
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, "", false, ErrFile
	}
	var out bytes.Buffer
	media = "image/png"
	if format == "jpeg" {
		media = "image/jpeg"
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: 90})
	} else {
		err = png.Encode(&out, picture)
	}
	if err != nil || out.Len() > 4*MaxFile {
		return nil, "", false, ErrFile
	}
	return out.Bytes(), media, false, nil
}

// cleanName is what a file may be called: no path, no control characters, no end
// that turns the reading round.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || strings.ContainsRune(`"<>:|?*/`, r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	if r := []rune(name); len(r) > 100 {
		name = string(r[len(r)-100:])
	}
	if name == "" {
		return "file"
	}
	return name
}

// Attach adds a file to a ticket of the customer's own that is not closed. Errors:
// ErrFile, ErrFull, ErrState.
func (s *Service) Attach(ctx context.Context, p account.Principal, ticket, name string, content []byte) (File, error) {
	return s.attach(ctx, p, name, content, "", func(q db.Q) (Ticket, error) { return owned(ctx, q, p, ticket) })
}

// AttachAnswer adds a file of staff to somebody's ticket. Errors: those of Attach.
func (s *Service) AttachAnswer(ctx context.Context, p account.Principal, ticket, name string, content []byte) (File, error) {
	return s.attach(ctx, p, name, content, p.Subject, func(q db.Q) (Ticket, error) { return foreign(ctx, q, p, ticket) })
}

func (s *Service) attach(ctx context.Context, p account.Principal, name string, content []byte, by id.Handle, find func(db.Q) (Ticket, error)) (File, error) {
	t, err := find(s.d.DB)
	if err != nil {
		return File{}, err
	}
	kept, media, quarantined, err := sniff(content)
	if err != nil {
		return File{}, err
	}
	f := File{ID: id.New("tkf"), Staff: by != "", Name: cleanName(name), Media: media, Size: int64(len(kept)), Quarantined: quarantined, At: s.d.Clock.Now()}
	sealedName, err := s.d.Vault.Seal(ctx, t.ref("ticket_file", "name", f.ID), []byte(f.Name))
	if err != nil {
		return File{}, err
	}
	sealed, err := s.d.Vault.Seal(ctx, t.ref("ticket_file", "content", f.ID), kept)
	if err != nil {
		return File{}, err
	}
	return f, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := find(tx)
		if err != nil {
			return err
		}
		if t.State == Closed {
			return ErrState.With("state", string(t.State)).With("event", "attach")
		}
		if err := roomTx(ctx, tx, t.ID, 1); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO ticket_file (id, ticket, subject, staff, name, media, size, released_by, quarantined, content, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10)`,
			f.ID, t.ID, string(t.Subject), string(by), sealedName, f.Media, f.Size, db.Bool(f.Quarantined), sealed, db.Micros(f.At))
		if err != nil {
			return err
		}
		return s.leaf(ctx, tx, "ticket.attached", p, t, map[string]string{"media": f.Media})
	})
}

// Fetch opens a file of the customer's own ticket: what they sent, and what staff
// sent them.
func (s *Service) Fetch(ctx context.Context, p account.Principal, ticket, file string) (File, []byte, error) {
	t, err := owned(ctx, s.d.DB, p, ticket)
	if err != nil {
		return File{}, nil, err
	}
	return s.fetch(ctx, t, file, self(p), "")
}

// FetchForStaff opens a file of somebody's ticket; the person sees the reading.
// ErrQuarantine for one that nobody let out.
func (s *Service) FetchForStaff(ctx context.Context, p account.Principal, ticket, file string) (File, []byte, error) {
	t, err := foreign(ctx, s.d.DB, p, ticket)
	if err != nil {
		return File{}, nil, err
	}
	return s.fetch(ctx, t, file, staff(p), t.ID)
}

func (s *Service) fetch(ctx context.Context, t Ticket, of string, by vault.Reader, reason string) (File, []byte, error) {
	f, err := db.Get(ctx, s.d.DB, ErrNoFile, scanFile, fileColumns+" WHERE id = $1 AND ticket = $2", of, t.ID)
	if err != nil {
		return File{}, nil, err
	}
	if by.Class == vault.Staff && f.Quarantined && !f.Staff {
		return File{}, nil, ErrQuarantine
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: by, Subject: t.Subject, Purpose: purpose, Reason: reason, Fields: []string{"ticket_file.name", "ticket_file.content"},
	})
	if err != nil {
		return File{}, nil, err
	}
	name, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_file", "name", f.ID), f.name)
	if err != nil {
		return File{}, nil, err
	}
	f.Name = string(name)
	sealed, err := db.Get(ctx, s.d.DB, ErrNoFile, db.One[[]byte], "SELECT content FROM ticket_file WHERE id = $1", f.ID)
	if err != nil {
		return File{}, nil, err
	}
	content, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_file", "content", f.ID), sealed)
	return f.File, content, err
}

// Release lets a file out of quarantine, in somebody's name. ErrNoFile for one
// that is not in it.
func (s *Service) Release(ctx context.Context, p account.Principal, ticket, file string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := foreign(ctx, tx, p, ticket)
		if err != nil {
			return err
		}
		err = tx.ExecOne(ctx, ErrNoFile, "UPDATE ticket_file SET quarantined = 0, released_by = $1 WHERE id = $2 AND ticket = $3 AND quarantined = 1",
			string(p.Subject), file, t.ID)
		if err != nil {
			return err
		}
		return s.leaf(ctx, tx, "ticket.released", p, t, map[string]string{"file": file})
	})
}
