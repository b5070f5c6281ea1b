package window

import "context"

// Unreachable is the Backend while nobody answers: it shows why, and refuses.
type Unreachable struct{ Why *Problem }

// Watch gives the one View there is: that nobody answers.
func (u Unreachable) Watch(ctx context.Context) <-chan View {
	out := make(chan View, 1)
	out <- View{Trouble: u.Why}
	context.AfterFunc(ctx, func() { close(out) })
	return out
}

// Attend is for nothing: nothing is asked.
func (u Unreachable) Attend(Answerer) {}

func (u Unreachable) Connect(context.Context, string, Answerer) error { return u.Why }
func (u Unreachable) Disconnect(context.Context, string) error        { return u.Why }
func (u Unreachable) Remove(context.Context, string) error            { return u.Why }
func (u Unreachable) Accept(context.Context, Acceptance) error        { return u.Why }
func (u Unreachable) Withdraw(context.Context) error                  { return u.Why }
func (u Unreachable) EraseAll(context.Context) error                  { return u.Why }
func (u Unreachable) SetSettings(context.Context, Settings) error     { return u.Why }
func (u Unreachable) SetPermission(context.Context, string, bool) error {
	return u.Why
}

func (u Unreachable) Import(context.Context, []byte, []byte) (Imported, error) {
	return Imported{}, u.Why
}

func (u Unreachable) Add(context.Context, Typed) (Imported, error) { return Imported{}, u.Why }

func (u Unreachable) Policy(context.Context, string) (Policy, error) { return Policy{}, u.Why }
func (u Unreachable) Receipts(context.Context) ([]Receipt, error)    { return nil, u.Why }
func (u Unreachable) Held(context.Context) ([]HeldItem, error)       { return nil, u.Why }
func (u Unreachable) Export(context.Context, string) (string, error) { return "", u.Why }

func (u Unreachable) FindUpdate(context.Context) (bool, error) { return false, u.Why }
func (u Unreachable) InstallUpdate(context.Context, func(done, whole int64)) (string, error) {
	return "", u.Why
}
func (u Unreachable) Restart(context.Context) (string, error) { return "", u.Why }

func (u Unreachable) Permissions(context.Context) ([]Permission, error) { return nil, u.Why }
func (u Unreachable) Components(context.Context) ([]Component, error)   { return nil, u.Why }
func (u Unreachable) Log(context.Context) ([]LogLine, error)            { return nil, u.Why }
func (u Unreachable) ExportLog(context.Context, string) (string, error) { return "", u.Why }
func (u Unreachable) Doctor(context.Context, string, func(Check)) error { return u.Why }

func (u Unreachable) ExportDoctor(context.Context, string) (string, error) {
	return "", u.Why
}

// Settings are the defaults.
func (u Unreachable) Settings(context.Context) (Settings, error) {
	return Settings{DTLS: true}, nil
}
