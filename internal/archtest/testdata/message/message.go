// Package message is a planted message between control and gateways.
package message

type visit struct {
	Session string `json:"session"`
	Shoe    int    `json:"shoe_size"` // want shoe_size
	Hidden  int    `json:"-"`
	Bare    int    // want no name
	private int
}

var _ = visit{private: 1}
