package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// BlockedCertificate is a certificate of a CA of the customer's own that an SSL
// server refuses, with all that are verified by it.
type BlockedCertificate struct {
	ID        string     `json:"id" example:"cblk-..."`
	Issuer    string     `json:"issuer" doc:"Name of what issued it"`
	Serial    string     `json:"serial" doc:"Hexadecimal"`
	Client    string     `json:"client,omitempty" doc:"SSL client that it names, where the certificate itself was given"`
	NotAfter  *time.Time `json:"not_after,omitempty" doc:"It leaves the list then"`
	CreatedAt time.Time  `json:"created_at"`
}

// CertificateBlock says which certificate to refuse: itself, or its serial with
// the CA that issued it.
type CertificateBlock struct {
	CertificatePEM string `json:"certificate_pem,omitempty" maxLength:"65536" doc:"The certificate; with serial, that of the CA which issued it"`
	ClientCA       string `json:"client_ca,omitempty" maxLength:"40" doc:"Id of the uploaded CA that issued it itself, not through an intermediate CA"`
	Serial         string `json:"serial,omitempty" maxLength:"120" doc:"Hexadecimal; colons do not matter"`
}

// blockID is the path of one entry.
type blockID struct {
	ResourceID
	Block string `path:"block" maxLength:"40"`
}

func toBlock(b vpn.Block) BlockedCertificate {
	return BlockedCertificate{b.ID, b.CAName, b.Serial, b.Client, toTime(b.NotAfter), b.CreatedAt}
}

// certificateBlocks registers the operations of certificates that a server
// refuses singly.
func certificateBlocks(a *API, s *vpn.Service) {
	const tag = "SSL servers"
	Get(a, "/ssl-servers/{id}/blocked-certificates", Operation{
		ID: "list-blocked-certificates", Summary: "Client certificates of your own CAs that a server refuses", Tag: tag, Access: Customer,
	},
		func(ctx context.Context, in *ResourceID) (*Body[List[BlockedCertificate]], error) {
			all, err := s.Blocks(ctx, Who(ctx).Account, in.ID)
			return &Body[List[BlockedCertificate]]{List[BlockedCertificate]{Items: Items(all, toBlock)}}, err
		})
	Post(a, "/ssl-servers/{id}/blocked-certificates", Operation{
		ID: "block-certificate", Summary: "Refuse a certificate of your own CA, a client's or an intermediate CA's; its sessions end", Tag: tag, Access: Customer, Status: 201,
		Detail: "Give the certificate, or its serial and the CA that issued it: client_ca if that is an uploaded one, certificate_pem if it is an intermediate CA. " +
			"What is matched is issuer and serial, of the client's certificate and of every CA that it is verified by: an intermediate CA is refused with all that it issued. " +
			"One of the server's built-in CA is revoked instead.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body CertificateBlock
		},
		) (*Body[BlockedCertificate], error) {
			b, err := s.BlockCertificate(ctx, Who(ctx), vpn.NewBlock{
				Server: in.ID, Certificate: []byte(in.Body.CertificatePEM), CA: in.Body.ClientCA, Serial: in.Body.Serial,
			})
			return &Body[BlockedCertificate]{toBlock(b)}, err
		})
	Delete(a, "/ssl-servers/{id}/blocked-certificates/{block}", Operation{
		ID: "unblock-certificate", Summary: "Accept a certificate again", Tag: tag, Access: Customer,
	},
		func(ctx context.Context, in *blockID) (*struct{}, error) {
			return nil, s.UnblockCertificate(ctx, Who(ctx), in.ID, in.Block)
		})
}
