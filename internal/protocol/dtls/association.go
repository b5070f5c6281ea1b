package dtls

// Alert descriptions (RFC 5246 7.2).
const (
	alertLevelWarning     = 1
	alertLevelFatal       = 2
	alertCloseNotify      = 0
	alertHandshakeFailure = 40
)

// Association is an established pair of directions.
type Association struct {
	Suite  uint16
	Sealer *Sealer
	Opener *Opener
}

// newAssociation derives the keys of both directions.
func newAssociation(s *suite, master, clientRandom, serverRandom []byte, server bool) (*Association, error) {
	k, err := DeriveKeys(s.id, master, clientRandom, serverRandom)
	if err != nil {
		return nil, err
	}
	if server {
		k.ClientKey, k.ServerKey = k.ServerKey, k.ClientKey
		k.ClientIV, k.ServerIV = k.ServerIV, k.ClientIV
	}
	sealer, err := newSealer(s, k.ClientKey, k.ClientIV)
	if err != nil {
		return nil, err
	}
	opener, err := newOpener(s, k.ServerKey, k.ServerIV)
	if err != nil {
		return nil, err
	}
	return &Association{Suite: s.id, Sealer: sealer, Opener: opener}, nil
}

// AppendCloseNotify appends the record that tells the peer that this side is
// done. It uses the association's Sealer, so it belongs to that goroutine.
func (a *Association) AppendCloseNotify(dst []byte) ([]byte, error) {
	return a.appendRecord(dst, TypeAlert, []byte{alertLevelWarning, alertCloseNotify})
}

func (a *Association) appendRecord(dst []byte, typ byte, plaintext []byte) ([]byte, error) {
	seq, err := a.Sealer.Reserve(1)
	if err != nil {
		return dst, err
	}
	return a.Sealer.Seal(dst, seq, typ, plaintext), nil
}

// closes tells whether an authenticated alert ends the association.
func closes(alert []byte) bool {
	return len(alert) == 2 && (alert[0] == alertLevelFatal || alert[1] == alertCloseNotify)
}
