//go:build unix && !darwin

package keystore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

const systemPlace = SecretService

// Names of the Secret Service specification, version 0.2 (freedesktop.org).
const (
	ssName       = "org.freedesktop.secrets"
	ssPath       = dbus.ObjectPath("/org/freedesktop/secrets")
	ssService    = "org.freedesktop.Secret.Service."
	ssCollection = "org.freedesktop.Secret.Collection."
	ssItem       = "org.freedesktop.Secret.Item."
	ssPrompt     = "org.freedesktop.Secret.Prompt"
	ssNone       = dbus.ObjectPath("/") // instead of a prompt, or of a collection

	// schema sets our entries apart from those of other programs.
	schema = "cloud.skybridge.skyconnect"
)

// secretService keeps secrets with the desktop's key store. They pass the bus,
// a socket of this person alone, as they are: the form "plain".
type secretService struct {
	conn    *dbus.Conn
	session dbus.ObjectPath
}

// ssSecret is the struct (oayays) of the specification.
type ssSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// openSystem connects to the bus of the person's session. It starts none: a bus
// that was started for the question would have no key store.
func openSystem(ctx context.Context, _ Deps) (Store, error) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" {
		socket := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus")
		if _, err := os.Stat(socket); err != nil || !filepath.IsAbs(socket) {
			return nil, ErrUnavailable
		}
		address = "unix:path=" + socket
	}
	return openSecretService(ctx, address)
}

// openSecretService connects to a bus; ctx bounds the connection's life too, for
// which godbus closes it.
func openSecretService(ctx context.Context, address string) (Store, error) {
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, unavailable(err)
	}
	s := &secretService{conn: conn}
	var output dbus.Variant
	err = s.service().CallWithContext(ctx, ssService+"OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&output, &s.session)
	if err != nil {
		_ = conn.Close()
		return nil, unavailable(err)
	}
	return s, nil
}

func unavailable(err error) error { return errs.Wrap(errs.Unavailable, "keystore.unavailable", err) }

func (s *secretService) service() dbus.BusObject { return s.conn.Object(ssName, ssPath) }

func (s *secretService) object(path dbus.ObjectPath) dbus.BusObject {
	return s.conn.Object(ssName, path)
}

func attributes(profile string, kind Kind) map[string]string {
	return map[string]string{"xdg:schema": schema, "profile": profile, "kind": string(kind)}
}

func (s *secretService) Set(ctx context.Context, profile string, kind Kind, secret []byte) error {
	if err := check(profile, kind, secret); err != nil {
		return err
	}
	collection, err := s.collection(ctx)
	if err != nil {
		return err
	}
	properties := map[string]dbus.Variant{
		ssItem + "Label":      dbus.MakeVariant("skyconnect " + profile + " " + string(kind)),
		ssItem + "Attributes": dbus.MakeVariant(attributes(profile, kind)),
	}
	var item, prompt dbus.ObjectPath
	err = s.object(collection).CallWithContext(ctx, ssCollection+"CreateItem", 0, properties,
		ssSecret{s.session, []byte{}, secret, "application/octet-stream"}, true).Store(&item, &prompt)
	if err != nil {
		return fmt.Errorf("keeping a secret: %w", unavailable(err))
	}
	_, err = s.prompt(ctx, prompt)
	return err
}

// collection is the person's default one, unlocked; it is made where there is none.
func (s *secretService) collection(ctx context.Context) (dbus.ObjectPath, error) {
	var path, prompt dbus.ObjectPath
	if err := s.service().CallWithContext(ctx, ssService+"ReadAlias", 0, "default").Store(&path); err != nil {
		return "", unavailable(err)
	}
	if path != ssNone {
		return path, s.unlock(ctx, path)
	}
	properties := map[string]dbus.Variant{ssCollection + "Label": dbus.MakeVariant("Default")}
	err := s.service().CallWithContext(ctx, ssService+"CreateCollection", 0, properties, "default").Store(&path, &prompt)
	if err != nil {
		return "", unavailable(err)
	}
	made, err := s.prompt(ctx, prompt)
	if err == nil && path == ssNone {
		err = made.Store(&path)
	}
	return path, err
}

// unlock has the person unlock a collection or an item.
func (s *secretService) unlock(ctx context.Context, path dbus.ObjectPath) error {
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := s.service().CallWithContext(ctx, ssService+"Unlock", 0, []dbus.ObjectPath{path}).Store(&unlocked, &prompt)
	if err != nil {
		return unavailable(err)
	}
	_, err = s.prompt(ctx, prompt)
	return err
}

// prompt shows the key store's question and waits for the answer.
func (s *secretService) prompt(ctx context.Context, path dbus.ObjectPath) (dbus.Variant, error) {
	if path == ssNone || path == "" {
		return dbus.Variant{}, nil
	}
	match := []dbus.MatchOption{dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(ssPrompt), dbus.WithMatchMember("Completed")}
	if err := s.conn.AddMatchSignalContext(ctx, match...); err != nil {
		return dbus.Variant{}, unavailable(err)
	}
	defer func() { _ = s.conn.RemoveMatchSignal(match...) }()
	answers := make(chan *dbus.Signal, 8)
	s.conn.Signal(answers)
	defer s.conn.RemoveSignal(answers)
	if err := s.object(path).CallWithContext(ctx, ssPrompt+".Prompt", 0, "").Err; err != nil {
		return dbus.Variant{}, unavailable(err)
	}
	for {
		select {
		case <-ctx.Done():
			_ = s.object(path).Call(ssPrompt+".Dismiss", dbus.FlagNoReplyExpected).Err
			return dbus.Variant{}, ctx.Err()
		case signal, ok := <-answers:
			if !ok {
				return dbus.Variant{}, ErrUnavailable
			}
			if signal.Path == path && signal.Name == ssPrompt+".Completed" {
				return answered(signal)
			}
		}
	}
}

func answered(signal *dbus.Signal) (dbus.Variant, error) {
	var dismissed bool
	var result dbus.Variant
	if err := dbus.Store(signal.Body, &dismissed, &result); err != nil {
		return result, unavailable(err)
	}
	if dismissed {
		return result, ErrDismissed
	}
	return result, nil
}

// search finds our items, locked ones too.
func (s *secretService) search(ctx context.Context, by map[string]string) ([]dbus.ObjectPath, error) {
	var unlocked, locked []dbus.ObjectPath
	if err := s.service().CallWithContext(ctx, ssService+"SearchItems", 0, by).Store(&unlocked, &locked); err != nil {
		return nil, unavailable(err)
	}
	return append(unlocked, locked...), nil
}

func (s *secretService) Get(ctx context.Context, profile string, kind Kind) ([]byte, error) {
	if err := check(profile, kind, nil); err != nil {
		return nil, err
	}
	items, err := s.search(ctx, attributes(profile, kind))
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, ErrAbsent
	}
	if err := s.unlock(ctx, items[0]); err != nil {
		return nil, err
	}
	var secret ssSecret
	if err := s.object(items[0]).CallWithContext(ctx, ssItem+"GetSecret", 0, s.session).Store(&secret); err != nil {
		return nil, unavailable(err)
	}
	return secret.Value, nil
}

func (s *secretService) Delete(ctx context.Context, profile string, kind Kind) error {
	items, err := s.search(ctx, attributes(profile, kind))
	if err != nil {
		return err
	}
	for _, item := range items {
		if err := s.unlock(ctx, item); err != nil {
			return err
		}
		var prompt dbus.ObjectPath
		if err := s.object(item).CallWithContext(ctx, ssItem+"Delete", 0).Store(&prompt); err != nil {
			return unavailable(err)
		}
		if _, err := s.prompt(ctx, prompt); err != nil {
			return err
		}
	}
	return nil
}

func (s *secretService) List(ctx context.Context) ([]Entry, error) {
	items, err := s.search(ctx, map[string]string{"xdg:schema": schema})
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, item := range items {
		e, err := s.entry(ctx, item)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func (s *secretService) entry(ctx context.Context, item dbus.ObjectPath) (Entry, error) {
	var a map[string]string
	var modified uint64
	if err := s.property(ctx, item, "Attributes", &a); err != nil {
		return Entry{}, err
	}
	if err := s.property(ctx, item, "Modified", &modified); err != nil {
		return Entry{}, err
	}
	return Entry{a["profile"], Kind(a["kind"]), time.Unix(int64(modified), 0).UTC()}, nil
}

func (s *secretService) property(ctx context.Context, item dbus.ObjectPath, name string, into any) error {
	var v dbus.Variant
	err := s.object(item).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, "org.freedesktop.Secret.Item", name).Store(&v)
	if err == nil {
		err = v.Store(into)
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}
