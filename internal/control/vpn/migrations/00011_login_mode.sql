-- +goose Up
UPDATE vpn_server SET settings = replace(replace(settings, '"RequireCertificate":true', '"LoginMode":"password_certificate"'), '"RequireCertificate":false', '"LoginMode":"password"');
