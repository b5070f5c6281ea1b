package api

import (
	"context"
	"mime"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// BundleInvitation is what a link to a client's bundle is made for.
type BundleInvitation struct {
	Hours int `json:"hours,omitempty" minimum:"1" maximum:"72" default:"24" doc:"How long it is good for"`
}

// BundleLink is a link to a client's bundle as it is made.
type BundleLink struct {
	URL string `json:"url" doc:"To hand to the person; from / where the console's address is not configured"`
	BundleLinkState
}

// BundleLinkState tells of a client's link.
type BundleLinkState struct {
	Until    *time.Time `json:"until,omitempty" doc:"Absent where there is none that could be used"`
	KeyUntil time.Time  `json:"key_until" doc:"After this the bundle comes without the private key"`
}

// BundleToken is what stands behind the # of such a link.
type BundleToken struct {
	Token string `json:"token" minLength:"1" maxLength:"100"`
}

// ConnectLink is a client's profile for skyconnect as a link.
type ConnectLink struct {
	ImportLink string `json:"import_link" doc:"For skyconnect, as text or QR code. It has no private key and no password in it"`
	SignerKey  string `json:"signer_key" doc:"Id of the key that signed it, as skyconnect shows it"`
	FitsQR     bool   `json:"fits_qr"`
}

// bundleLinks registers the operations of links to a client's bundle. Who holds
// a link needs no account.
func bundleLinks(a *API, s *vpn.Service) {
	const tag, path = "SSL clients", "/ssl-clients/{id}/bundle-link"
	Post(a, path, Operation{
		ID: "make-ssl-client-bundle-link", Summary: "A link by which the user fetches the bundle, once", Tag: tag, Access: Customer, Secret: true,
		Detail: "Shown this once. A link of before is good for nothing.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body *BundleInvitation `required:"false"`
		},
		) (*private[BundleLink], error) {
			v, err := s.InviteBundle(ctx, Who(ctx), in.ID, in.Body.life())
			return &private[BundleLink]{secretCache, BundleLink{v.URL, toBundleLink(v)}}, err
		})
	Get(a, path, Operation{ID: "get-ssl-client-bundle-link", Summary: "Whether there is a link to the bundle", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[BundleLinkState], error) {
			v, err := s.OpenBundleLink(ctx, Who(ctx).Account, in.ID)
			return &Body[BundleLinkState]{toBundleLink(v)}, err
		})
	Get(a, "/ssl-clients/{id}/connect-link", Operation{
		ID: "get-ssl-client-connect-link", Summary: "The client's profile for skyconnect as a link and QR code", Tag: tag, Access: Customer,
		Detail: "Signed, with the client policy in force. The file of the bundle has the private key too.",
	},
		func(ctx context.Context, in *ResourceID) (*private[ConnectLink], error) {
			v, err := s.ConnectLink(ctx, Who(ctx).Account, in.ID)
			return &private[ConnectLink]{secretCache, ConnectLink{v.Link, v.Signer, v.QR}}, err
		})
	Delete(a, path, Operation{ID: "revoke-ssl-client-bundle-link", Summary: "End the link to the bundle", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.RevokeBundleLink(ctx, Who(ctx), in.ID)
		})
	Post(a, "/bundle-downloads", Operation{
		ID: "fetch-bundle", Summary: "The bundle of a link, which is used up by it", Tag: tag, Access: Public, Secret: true,
	},
		func(ctx context.Context, in *struct{ Body BundleToken }) (*file, error) {
			b, err := s.FetchBundle(ctx, in.Body.Token)
			return &file{secretCache, "application/zip", mime.FormatMediaType("attachment", map[string]string{"filename": b.Name}), b.ZIP}, err
		})
}

func (b *BundleInvitation) life() time.Duration {
	if b == nil {
		return 0
	}
	return time.Duration(b.Hours) * time.Hour
}

func toBundleLink(v vpn.BundleLink) BundleLinkState {
	out := BundleLinkState{KeyUntil: v.Key}
	if !v.Until.IsZero() {
		out.Until = &v.Until
	}
	return out
}
