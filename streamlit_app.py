"""The app's entry point: `streamlit run streamlit_app.py --server.address=localhost`."""

# Streamlit runs this file as __main__. Worker processes import it under another name, to find out
# what the main module is, and must not load an app.
if __name__ == "__main__":
    from pgviz.ui.frame import show

    show()
