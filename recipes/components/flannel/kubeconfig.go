package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kubeconfig has the parts of such a file that say where the API is and who we are.
type kubeconfig struct {
	Current  string `yaml:"current-context"`
	Contexts []struct {
		Name    string
		Context struct{ Cluster, User string }
	}
	Clusters []struct {
		Name    string
		Cluster struct {
			Server     string
			ServerName string `yaml:"tls-server-name"`
			CA         string `yaml:"certificate-authority"`
			CAData     string `yaml:"certificate-authority-data"`
		}
	}
	Users []struct {
		Name string
		User struct {
			Certificate     string `yaml:"client-certificate"`
			CertificateData string `yaml:"client-certificate-data"`
			Key             string `yaml:"client-key"`
			KeyData         string `yaml:"client-key-data"`
			Token           string
			TokenFile       string `yaml:"tokenFile"`
		}
	}
}

// access is a kubeconfig's current context. What lies in files of its own is read at each use, as others renew it.
type access struct {
	server      *url.URL
	serverName  string
	authority   *x509.CertPool
	certificate source
	key         source
	token       source
}

// source is a text in the kubeconfig, or the path of a file.
type source struct {
	text string
	path string
}

func (s source) given() bool { return s.text != "" || s.path != "" }

func (s source) read() ([]byte, error) {
	if s.path == "" {
		return []byte(s.text), nil
	}
	return os.ReadFile(s.path)
}

// encoded is a source whose text, if there is one, is base64; as with every client of the API, it wins over the file.
func encoded(data, path, folder string) (source, error) {
	text, err := base64.StdEncoding.DecodeString(data)
	if len(text) > 0 || err != nil {
		return source{text: string(text)}, err
	}
	return file(path, folder), nil
}

// file is a path as seen from the folder of the kubeconfig.
func file(path, folder string) source {
	if path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	return source{path: path}
}

func readAccess(path string) (*access, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	var config kubeconfig
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	access, err := config.resolve(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return access, nil
}

func (k *kubeconfig) resolve(folder string) (*access, error) {
	cluster, user, found := "", "", false
	for _, entry := range k.Contexts {
		if entry.Name == k.Current {
			cluster, user, found = entry.Context.Cluster, entry.Context.User, true
		}
	}
	if !found {
		return nil, fmt.Errorf("no context is called %q", k.Current)
	}
	var a access
	if err := k.resolveCluster(&a, cluster, folder); err != nil {
		return nil, err
	}
	for _, entry := range k.Users {
		if entry.Name != user {
			continue
		}
		var err error
		if a.certificate, err = encoded(entry.User.CertificateData, entry.User.Certificate, folder); err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		if a.key, err = encoded(entry.User.KeyData, entry.User.Key, folder); err != nil {
			return nil, fmt.Errorf("client key: %w", err)
		}
		if a.token = file(entry.User.TokenFile, folder); !a.token.given() {
			a.token = source{text: entry.User.Token}
		}
		return &a, nil
	}
	return nil, fmt.Errorf("no user is called %q", user)
}

func (k *kubeconfig) resolveCluster(a *access, name, folder string) error {
	for _, entry := range k.Clusters {
		if entry.Name != name {
			continue
		}
		server, err := url.Parse(strings.TrimSuffix(entry.Cluster.Server, "/"))
		if err != nil || server.Scheme != "https" {
			return fmt.Errorf("cluster %s: not an https URL: %q", name, entry.Cluster.Server)
		}
		authority, err := encoded(entry.Cluster.CAData, entry.Cluster.CA, folder)
		if err != nil {
			return fmt.Errorf("certificate authority: %w", err)
		}
		text, err := authority.read()
		if err != nil {
			return fmt.Errorf("read certificate authority: %w", err)
		}
		a.server, a.serverName, a.authority = server, entry.Cluster.ServerName, x509.NewCertPool()
		if !a.authority.AppendCertsFromPEM(text) {
			return fmt.Errorf("cluster %s has no certificate authority", name)
		}
		return nil
	}
	return fmt.Errorf("no cluster is called %q", name)
}

func (a *access) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.authority, ServerName: a.serverName}
	if a.certificate.given() {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate, err := a.certificate.read()
			if err != nil {
				return nil, fmt.Errorf("read client certificate: %w", err)
			}
			key, err := a.key.read()
			if err != nil {
				return nil, fmt.Errorf("read client key: %w", err)
			}
			pair, err := tls.X509KeyPair(certificate, key)
			return &pair, err
		}
	}
	return config
}
