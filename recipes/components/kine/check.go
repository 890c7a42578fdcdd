package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/sirupsen/logrus"
)

// endpointVariable holds the source where it is not an argument: arguments are for everyone to see.
const endpointVariable = "KINE_ENDPOINT"

// The database that kine takes where the source names none.
const usualDatabase = "kubernetes"

func runCheck([]string) (any, error) {
	return struct{}{}, check(os.Getenv(endpointVariable))
}

// check looks whether a source can be used: its form, the server, the account, the database, which is made if it is
// missing and may be. Its errors name the thing, the cause and where to look, and hold no password.
func check(endpoint string) error {
	scheme, rest, _ := strings.Cut(endpoint, "://")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch scheme {
	case "", "sqlite":
		return nil
	case "postgres", "postgresql":
		return redact(checkPostgres(ctx, rest), endpoint)
	case "mysql":
		return redact(checkMysql(ctx, rest), endpoint)
	default:
		return fmt.Errorf("datastore: unknown scheme `%s`; known: `sqlite`, `mysql`, `postgres`", scheme)
	}
}

func checkPostgres(ctx context.Context, rest string) error {
	place, err := url.Parse("postgres://" + rest)
	if err != nil {
		return errors.New("postgres: not a URL; write special characters of the password as %XX; wanted: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`")
	}
	if place.Path == "" || place.Path == "/" {
		place.Path = "/" + usualDatabase
	}
	place.Path = strings.ToLower(place.Path)
	config, err := pgx.ParseConfig(place.String())
	if err != nil {
		return fmt.Errorf("postgres: %w", cause(err))
	}
	subject := fmt.Sprintf("postgres at `%s`", net.JoinHostPort(config.Host, fmt.Sprint(config.Port)))
	err = pingPostgres(ctx, config)
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && refusal.Code == "3D000" {
		err = createPostgres(ctx, config)
	}
	if err == nil {
		return nil
	}
	if errors.As(err, &refusal) {
		switch refusal.Code {
		case "28P01", "28000":
			return fmt.Errorf("%s: it does not let user `%s` in (%s); see the user and password of the data source", subject, config.User, refusal.Message)
		case "3D000", "42501":
			return fmt.Errorf("%s: there is no database `%s`, and user `%s` may not create it (%s); create it there", subject, config.Database, config.User, refusal.Message)
		}
		return fmt.Errorf("%s: %s", subject, refusal.Message)
	}
	return fmt.Errorf("%s: no connection (%w); see that it runs and that this address is right", subject, cause(err))
}

func pingPostgres(ctx context.Context, config *pgx.ConnConfig) error {
	db := sql.OpenDB(stdlib.GetConnector(*config))
	defer db.Close()
	return db.PingContext(ctx)
}

func createPostgres(ctx context.Context, config *pgx.ConnConfig) error {
	other := config.Copy()
	other.Database = "postgres"
	db := sql.OpenDB(stdlib.GetConnector(*other))
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+pgx.Identifier{config.Database}.Sanitize()); err != nil {
		return err
	}
	logrus.Infof("Database `%s` made", config.Database)
	return nil
}

func checkMysql(ctx context.Context, rest string) error {
	config, err := mysql.ParseDSN(rest)
	if err != nil {
		return fmt.Errorf("mysql: %w; wanted: `mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE`", err)
	}
	if config.DBName == "" {
		config.DBName = usualDatabase
	}
	config.Logger = &mysql.NopLogger{}
	subject := fmt.Sprintf("mysql at `%s`", config.Addr)
	err = pingMysql(ctx, config)
	var refusal *mysql.MySQLError
	// An account with no rights on a database is told so whether the database is there or not.
	if errors.As(err, &refusal) && (refusal.Number == 1049 || refusal.Number == 1044) {
		err = createMysql(ctx, config)
	}
	if err == nil {
		return nil
	}
	if errors.As(err, &refusal) {
		switch refusal.Number {
		case 1045, 1698:
			return fmt.Errorf("%s: it does not let user `%s` in (%s); see the user and password of the data source", subject, config.User, refusal.Message)
		case 1049, 1044:
			return fmt.Errorf("%s: there is no database `%s` that user `%s` may use or create (%s); create it there", subject, config.DBName, config.User, refusal.Message)
		}
		return fmt.Errorf("%s: %s", subject, refusal.Message)
	}
	return fmt.Errorf("%s: no connection (%w); see that it runs and that this address is right", subject, cause(err))
}

func pingMysql(ctx context.Context, config *mysql.Config) error {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	return db.PingContext(ctx)
}

func createMysql(ctx context.Context, config *mysql.Config) error {
	other := config.Clone()
	other.DBName = ""
	connector, err := mysql.NewConnector(other)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	name := "`" + strings.ReplaceAll(config.DBName, "`", "``") + "`"
	_, err = db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+name)
	return err
}

// cause is the innermost error, in one line: those around it repeat the source.
func cause(err error) error {
	for {
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("no answer within %s", patience)
		}
		inner := errors.Unwrap(err)
		if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 0 {
			inner = several.Unwrap()[0]
		}
		if inner == nil {
			return errors.New(strings.Join(strings.Fields(err.Error()), " "))
		}
		err = inner
	}
}

// redact takes the passwords of a source out of an error, in every spelling.
func redact(err error, endpoint string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range secrets(endpoint) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return errors.New(text)
}

func secrets(endpoint string) []string {
	_, rest, _ := strings.Cut(endpoint, "://")
	account := rest[:max(strings.LastIndex(rest, "@"), 0)]
	_, password, _ := strings.Cut(account, ":")
	_, parameters, _ := strings.Cut(rest, "?")
	found := []string{password}
	for _, parameter := range strings.Split(parameters, "&") {
		if name, value, _ := strings.Cut(parameter, "="); strings.HasSuffix(name, "password") {
			found = append(found, value)
		}
	}
	var all []string
	for _, secret := range found {
		plain, _ := url.QueryUnescape(secret)
		path, _ := url.PathUnescape(secret)
		for _, spelling := range []string{secret, plain, path, url.PathEscape(secret)} {
			if spelling != "" {
				all = append(all, spelling)
			}
		}
	}
	return all
}
