package dtls

// core is what a handshake has in common on both sides.
type core struct {
	server        bool
	plain, sealed reassembler // epoch 0 and epoch 1
	sealedReady   bool        // assoc exists and epoch 1 records may be tried
	done          bool

	suite        *suite
	clientRandom []byte
	serverRandom []byte
	transcript   transcript
	master       []byte
	assoc        *Association

	sendSeq uint64 // next epoch 0 record
	msgSeq  uint16 // next message of ours
	flight  []outRecord
}

// outRecord is a record of the last flight before it gets a sequence number,
// since a repetition takes a new one.
type outRecord struct {
	typ     byte
	version uint16
	sealed  bool
	payload []byte
}

func handshakeRecord(m []byte) outRecord {
	return outRecord{typ: TypeHandshake, version: version12, payload: m}
}

// addMessage numbers a message of ours and adds it to the transcript.
func (c *core) addMessage(typ byte, body []byte) []byte {
	m := appendMessage(nil, typ, c.msgSeq, body)
	c.transcript.b = append(c.transcript.b, m...)
	c.msgSeq++
	return m
}

// makeKeys turns the master secret into an association whose epoch 1 continues
// the message numbering of epoch 0.
func (c *core) makeKeys() bool {
	assoc, err := newAssociation(c.suite, c.master, c.clientRandom, c.serverRandom, c.server)
	if err != nil {
		return false
	}
	c.assoc, c.sealedReady = assoc, true
	c.sealed.next = c.plain.next
	return true
}

// makePSK derives the master secret; with ems over the transcript so far, which
// must end with ClientKeyExchange.
func (c *core) makePSK(psk []byte, ems bool) bool {
	var err error
	if ems {
		c.master, err = PSKExtendedMasterSecret(c.suite.id, psk, c.transcript.hash(c.suite))
	} else {
		c.master, err = PSKMasterSecret(c.suite.id, psk, c.clientRandom, c.serverRandom)
	}
	return err == nil && c.makeKeys()
}

// finishedFlight makes our Finished over the transcript so far and adds it.
func (c *core) finishedFlight() []outRecord {
	verify := c.verifyData(c.server)
	return []outRecord{
		{typ: TypeChangeCipherSpec, version: version12, payload: []byte{1}},
		{typ: TypeHandshake, sealed: true, payload: c.addMessage(msgFinished, verify)},
	}
}

func (c *core) verifyData(server bool) []byte {
	return verifyData(c.suite, c.master, server, c.transcript.hash(c.suite))
}

// forget drops what only the handshake needed.
func (c *core) forget() {
	c.transcript, c.master, c.plain, c.serverRandom = transcript{}, nil, reassembler{}, nil
}

// flightSize is an upper bound of the bytes of the last flight.
func (c *core) flightSize() int {
	n := 0
	for _, r := range c.flight {
		n += recordHeaderLen + len(r.payload)
		if r.sealed {
			n += explicitNonceLen + tagLen
		}
	}
	return n
}

// sealFlight renders the last flight as one datagram (RFC 6347 4.1.1). A client
// has all of it or nothing, and asks again for nothing: of a part GnuTLS does not
// ask for the rest, and when a Finished comes in the instant after it took the
// ChangeCipherSpec of another datagram, it waits for a further datagram.
func (c *core) sealFlight() (b []byte) {
	for _, r := range c.flight {
		sealed, err := c.sealRecord(b, r)
		if err != nil {
			return nil
		}
		b = sealed
	}
	return b
}

func (c *core) sealRecord(b []byte, r outRecord) ([]byte, error) {
	if r.sealed {
		return c.assoc.appendRecord(b, r.typ, r.payload)
	}
	b = appendPlainRecord(b, r.typ, r.version, c.sendSeq, r.payload)
	c.sendSeq++
	return b, nil
}
