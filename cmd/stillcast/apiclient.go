package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/api/client"
)

// apiFlags say which server is called and as whom.
type apiFlags struct {
	Endpoint  string `env:"STILLCAST_ENDPOINT" default:"http://127.0.0.1:8080" aliases:"server" placeholder:"URL" help:"Address of the server's listen.http (${default})."`
	SecretID  string `env:"STILLCAST_SECRET_ID" name:"secret-id" placeholder:"ID" help:"Credential of the control API. Without it, the one in --data-dir."`
	SecretKey string `env:"STILLCAST_SECRET_KEY" name:"secret-key" placeholder:"KEY" help:"Its key."`
	DataDir   string `default:"./data" name:"data-dir" placeholder:"DIR" help:"Data folder of the server, with the credential of its first start (${default})."`
}

func (f apiFlags) client() (*client.Client, error) {
	c := &client.Client{Endpoint: f.Endpoint, SecretID: f.SecretID, SecretKey: stillcast.Secret(f.SecretKey)}
	if (f.SecretID == "") != (f.SecretKey == "") {
		return nil, errors.New("--secret-id and --secret-key belong together; give both or none")
	}
	if f.SecretID != "" {
		return c, nil
	}
	own, err := api.ReadCredential(filepath.Join(f.DataDir, api.CredentialFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; give --secret-id and --secret-key, one of api.credentials in the server's configuration, or its --data-dir", err)
	}
	c.SecretID, c.SecretKey = own.SecretID, own.SecretKey
	return c, err
}
