package api

import (
	"context"
	"mime"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
)

// Certificate is a certificate on the wire: uploaded, or issued to an SSL
// client. There is no private key in it.
type Certificate struct {
	ID          string     `json:"id" example:"cert-..."`
	Name        string     `json:"name" doc:"Of an issued one: its client's"`
	Description string     `json:"description"`
	Type        string     `json:"type" enum:"server,client-ca,peer-ca,client"`
	State       string     `json:"state" enum:"valid,expiring,expired,revoked" doc:"expiring: 30 days or less are left"`
	Subject     string     `json:"subject"`
	Issuer      string     `json:"issuer"`
	Serial      string     `json:"serial" doc:"Hexadecimal"`
	Names       []string   `json:"names" nullable:"false" doc:"Host names and addresses that it is for"`
	KeyType     string     `json:"key_type" example:"ECDSA P-256"`
	Fingerprint string     `json:"fingerprint" doc:"SHA-256, hexadecimal"`
	NotBefore   *time.Time `json:"not_before,omitempty"`
	NotAfter    time.Time  `json:"not_after"`
	HasKey      bool       `json:"has_key" doc:"A private key is kept, sealed; it is never given out"`
	Server      string     `json:"server,omitempty" doc:"SSL server whose CA issued it"`
	Client      string     `json:"client,omitempty" doc:"SSL client that it was issued to"`
	UsedBy      []string   `json:"used_by" nullable:"false" doc:"Ids of what uses it"`
	RetireAt    *time.Time `json:"retire_at,omitempty" doc:"It was renewed and is revoked then"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`
	Version     int64      `json:"version"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// CertificateUpload is a certificate to keep.
type CertificateUpload struct {
	Name           string `json:"name" maxLength:"256"`
	Description    string `json:"description,omitempty" maxLength:"512" doc:"Up to 128 characters, not beginning with http: or https:"`
	Type           string `json:"type" enum:"server,client-ca,peer-ca,client,gm-sign,gm-enc,gm-ca" doc:"client is issued, not uploaded; gm-* need another build"`
	CertificatePEM string `json:"certificate_pem" maxLength:"131072" doc:"At most 64 KiB; the chain may follow"`
	PrivateKeyPEM  string `json:"private_key_pem,omitempty" maxLength:"131072" doc:"For server alone; sealed, never given out"`
	ChainPEM       string `json:"chain_pem,omitempty" maxLength:"131072" doc:"The issuers in order"`
}

// CertificatePatch changes what a certificate is called; what is left out stays.
type CertificatePatch struct {
	Name        *string `json:"name,omitempty" maxLength:"256"`
	Description *string `json:"description,omitempty" maxLength:"512" doc:"Up to 128 characters, not beginning with http: or https:"`
	Version     int64   `json:"version,omitempty" doc:"Refuse if it changed since this version"`
}

// Certificates registers the operations of certificates.
func Certificates(a *API, s *vpn.Service, now func() time.Time) {
	const tag = "Certificates"
	convert := func(c vpn.Certificate) Certificate { return toCertificate(c, now()) }
	Get(a, "/certificates", Operation{ID: "list-certificates", Summary: "Your certificates", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			Page
			Type   string `query:"type" enum:"server,client-ca,peer-ca,client"`
			Client string `query:"client" maxLength:"40"`
		},
		) (*Body[List[Certificate]], error) {
			all, next, err := s.Certificates(ctx, Who(ctx).Account, vpn.CertificateFilter{
				Kind: vpn.CertificateKind(in.Type), Client: in.Client, Page: vpn.Page{Limit: in.Limit, Cursor: in.Cursor},
			})
			return page(all, next, err, convert)
		})
	Post(a, "/certificates", Operation{ID: "upload-certificate", Summary: "Upload a certificate", Tag: tag, Access: Customer, Status: 201},
		func(ctx context.Context, in *struct{ Body CertificateUpload }) (*Body[Certificate], error) {
			c, err := s.UploadCertificate(ctx, Who(ctx), vpn.NewCertificate{
				Key: idempotency.Key(ctx), Name: in.Body.Name, Description: in.Body.Description, Kind: vpn.CertificateKind(in.Body.Type), Certificate: []byte(in.Body.CertificatePEM),
				PrivateKey: []byte(in.Body.PrivateKeyPEM), Chain: []byte(in.Body.ChainPEM),
			})
			return &Body[Certificate]{convert(c)}, err
		})
	Get(a, "/certificates/{id}", Operation{ID: "get-certificate", Summary: "One certificate", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[Certificate], error) {
			c, err := s.Certificate(ctx, Who(ctx).Account, in.ID)
			return &Body[Certificate]{convert(c)}, err
		})
	Patch(a, "/certificates/{id}", Operation{ID: "rename-certificate", Summary: "Rename or describe an uploaded certificate", Tag: tag, Access: Customer, IfMatch: true},
		func(ctx context.Context, in *struct {
			ResourceID
			Body CertificatePatch
		},
		) (*Body[Certificate], error) {
			c, err := s.UpdateCertificate(ctx, Who(ctx), in.ID, in.Body.Version, vpn.CertificateChange{Name: in.Body.Name, Description: in.Body.Description})
			return &Body[Certificate]{convert(c)}, err
		})
	Delete(a, "/certificates/{id}", Operation{
		ID: "delete-certificate", Summary: "Delete an uploaded certificate that nothing uses", Tag: tag, Access: Customer, IfMatch: true,
	},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.DeleteCertificate(ctx, Who(ctx), in.ID)
		})
	certificateActions(a, s, convert)
}

func certificateActions(a *API, s *vpn.Service, convert func(vpn.Certificate) Certificate) {
	const tag = "Certificates"
	Get(a, "/certificates/{id}/download", Operation{
		ID: "download-certificate", Summary: "The certificate as a file", Tag: tag, Access: Customer,
		Detail: "pem: with its chain; der: alone; zip: CA, certificate and chain. Never a private key.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Format string `query:"format" enum:"pem,der,zip" default:"pem"`
		},
		) (*file, error) {
			d, err := s.DownloadCertificate(ctx, Who(ctx).Account, in.ID, in.Format)
			return &file{secretCache, d.Type, mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}), d.Data}, err
		})
	Post(a, "/certificates/{id}/revoke", Operation{
		ID: "revoke-certificate", Summary: "Revoke a certificate of an SSL client; its sessions end", Tag: tag, Access: Customer,
	},
		func(ctx context.Context, in *ResourceID) (*Body[Certificate], error) {
			c, err := s.RevokeCertificate(ctx, Who(ctx), in.ID)
			return &Body[Certificate]{convert(c)}, err
		})
}

func toCertificate(c vpn.Certificate, now time.Time) Certificate {
	f := c.Facts()
	return Certificate{
		ID: c.ID, Name: c.Name, Description: c.Description, Type: string(c.Kind), State: string(c.State(now)), Subject: f.Subject, Issuer: f.Issuer, Serial: c.Serial,
		Names: Items(f.Names, itself), KeyType: f.Key, Fingerprint: f.Fingerprint, NotBefore: toTime(f.NotBefore), NotAfter: c.NotAfter,
		HasKey: c.HasKey, Server: c.Server, Client: c.Client, UsedBy: Items(c.UsedBy, itself), RetireAt: toTime(c.RetireAt),
		RevokedAt: toTime(c.RevokedAt), Version: c.Version, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}
