"""Actor-critic: what changes when the critic is believed, not only subtracted?"""

from pgviz.ui import page
from pgviz.ui.frame import open_page

this = open_page("actor-critic")
page.question(this)
page.settled()
