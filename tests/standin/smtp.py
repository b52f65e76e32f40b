"""A mail server on a local port: takes mail as smtplib sends it, and refuses or breaks off where it is told to."""

import socketserver
import threading
from email import message_from_bytes


class MailServer:
    """`messages`: what it took. `answers`: what it says to a command instead of yes, such as {"RCPT": "550 no"}; an
    empty answer ends the connection. `ends_after_data`: it takes the mail, and is gone before it says so."""

    def __init__(self):
        self.messages, self.receivers, self.answers = [], [], {}
        self.ends_after_data = False
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                server.talk(self.rfile, self.wfile)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def talk(self, lines, out):
        out.write(b"220 here\r\n")
        for line in lines:
            verb = line.decode().split(":")[0].split()[0].upper()
            answer = self.answers.get(verb, "354 go on" if verb == "DATA" else "250 yes")
            if not answer:
                return
            out.write(f"{answer}\r\n".encode())
            if verb == "RCPT":
                self.receivers.append(line.decode().split("<")[1].split(">")[0])
            if verb == "QUIT":
                return
            if verb == "DATA" and answer.startswith("354"):
                self.messages.append(message_from_bytes(b"".join(iter(lines.readline, b".\r\n"))))
                if self.ends_after_data:
                    return
                out.write(b"250 taken\r\n")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
